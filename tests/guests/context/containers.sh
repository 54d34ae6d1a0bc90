# Processes in cgroups that are named as runtimes and service managers name them. Facts `container:LABEL` hold the id that each
# process belongs to, or `none`; the program runs under the path $WORK/LABEL.
. /data/scenarios/lib.sh

id_of() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }
inner=$(id_of inner)
outer=$(id_of outer)
pod=kubepods-besteffort-podb13213a6_d47e_4bd1_bc00_f175d1ad3b6e.slice
long=unit-with-a-name-that-is-longer-than-an-id-and-holds-none-of-its-own-at-all.service

# runs_in LABEL ID CGROUP: runs a program of its own in the cgroup.
runs_in() {
    mkdir -p "/sys/fs/cgroup/$3"
    program "$1" "$1"
    fact "container:$1" "$2"
    sh -c "echo \$\$ >'/sys/fs/cgroup/$3/cgroup.procs'; exec '$WORK/$1'"
}

record --policy /data/policies/execs.yaml
runs_in host none system.slice/ssh.service
runs_in host-long none "system.slice/$long"
runs_in docker "$inner" "system.slice/docker-$inner.scope"
runs_in crio "$inner" "kubepods.slice/$pod/crio-$inner.scope"
runs_in podman "$inner" "machine.slice/libpod-$inner.scope/container"
runs_in payload "$inner" "user.slice/libpod-payload-$inner"
runs_in cgroupfs "$inner" "kubepods/besteffort/podb13213a6-d47e-4bd1-bc00-f175d1ad3b6e/$inner"
runs_in unit-inside "$inner" "system.slice/docker-$inner.scope/system.slice/ssh.service"
runs_in long-inside "$inner" "system.slice/docker-$inner.scope/system.slice/$long"
runs_in crio-monitor none "kubepods.slice/$pod/crio-conmon-$inner.scope"
runs_in podman-monitor none "machine.slice/libpod-conmon-$inner.scope"
runs_in pod-of-node "$outer" "docker/$outer/kubelet.slice/kubelet-$pod"
runs_in nested "$inner" "docker/$outer/kubelet.slice/kubelet-$pod/cri-containerd-$inner.scope"
runs_in monitor-of-node "$outer" "docker/$outer/kubelet.slice/kubelet-$pod/crio-conmon-$inner.scope"
deep=docker-$outer.scope
for level in $(seq 40); do deep=$deep/$level; done
runs_in deep "$outer" "$deep"
stop
