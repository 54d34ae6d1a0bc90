/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The slices of kernel types that the programs read. CO-RE relocates each access by the running kernel's BTF, so only
 * names and types matter here, never the layout. A field that moved has a ___flavour, with the commit that moved it.
 */
#ifndef HASHTRAIL_KERNEL_H
#define HASHTRAIL_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false, true };
#define NULL ((void *)0)

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_INODE_STORAGE = 28,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_F_NO_PREALLOC = 1, BPF_F_RDONLY_PROG = 128 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

/* include/linux/fs.h, include/uapi/linux/stat.h, include/linux/mount.h */
#define S_IFMT 00170000
#define S_IFCHR 0020000
#define S_IFBLK 0060000
#define S_IFREG 0100000
#define FMODE_READ 1
#define FMODE_WRITE 2
/* include/uapi/linux/major.h */
#define LOOP_MAJOR 7
#define SCSI_GENERIC_MAJOR 21
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
#define PROT_EXEC 4
/* include/linux/mm.h; the lowest three bits are those of PROT_* */
#define VM_PROTECTION 7
#define VM_SHARED 8
#define VM_MAYWRITE 0x20
#define VM_EXEC 4
#define SB_KERNMOUNT (1 << 22)
#define SB_I_VERSION (1 << 23)
#define SB_NOUSER (1U << 31)
#define SB_I_IMA_UNVERIFIABLE_SIGNATURE 0x20
#define MNT_INTERNAL 0x4000
#define ENAMETOOLONG 36
#define EPERM 1
#define MAX_ERRNO 4095
#define SIGKILL 9
#define I_VERSION_QUERIED 1
/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000
/* include/linux/preempt.h: softirqs that run (not those that are held off), hardirqs, NMIs */
#define IN_INTERRUPT 0xff0100

/* include/uapi/linux/magic.h: filesystems whose files are made when they are read */
enum pseudo_filesystem {
	PROC_SUPER_MAGIC = 0x9fa0,
	SYSFS_MAGIC = 0x62656572,
	DEBUGFS_MAGIC = 0x64626720,
	TRACEFS_MAGIC = 0x74726163,
	SECURITYFS_MAGIC = 0x73636673,
	SELINUX_MAGIC = 0xf97cff8c,
	SMACK_MAGIC = 0x43415d53,
	CGROUP_SUPER_MAGIC = 0x27e0eb,
	CGROUP2_SUPER_MAGIC = 0x63677270,
	BPF_FS_MAGIC = 0xcafe4a11,
	ANON_INODE_FS_MAGIC = 0x09041934,
	CONFIGFS_MAGIC = 0x62656570,
	BINFMTFS_MAGIC = 0x42494e4d,
	EFIVARFS_MAGIC = 0xde5e81e4,
};

/* The same: what a digest says of files there, see content.bpf.h */
enum filesystem {
	EXT4_SUPER_MAGIC = 0xef53,
	XFS_SUPER_MAGIC = 0x58465342,
	BTRFS_SUPER_MAGIC = 0x9123683e,
	TMPFS_MAGIC = 0x01021994,
	OVERLAYFS_SUPER_MAGIC = 0x794c7630,
	FUSE_SUPER_MAGIC = 0x65735546,
	NFS_SUPER_MAGIC = 0x6969,
	SMB_SUPER_MAGIC = 0x517b,
	CIFS_SUPER_MAGIC = 0xff534d42,
	SMB2_SUPER_MAGIC = 0xfe534d42,
	CEPH_SUPER_MAGIC = 0x00c36400,
	V9FS_MAGIC = 0x01021997,
	AFS_SUPER_MAGIC = 0x5346414f,
	CODA_SUPER_MAGIC = 0x73757245,
	OCFS2_SUPER_MAGIC = 0x7461636f,
	GFS2_MAGIC = 0x01161970,
	VBOXSF_SUPER_MAGIC = 0x786f4256,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	__s64 counter;
} atomic64_t;
typedef struct {
	__u32 val;
} kuid_t;
typedef struct {
	__u32 val;
} kgid_t;
typedef __s64 time64_t;

struct timespec64 {
	time64_t tv_sec;
	long tv_nsec;
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct list_head {
	struct list_head *next;
};

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct inode;
struct mount;
struct mnt_namespace;
struct mnt_idmap;
struct user_namespace;

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

typedef struct seqcount_spinlock {
	seqcount_t seqcount;
} seqcount_spinlock_t;

struct dentry {
	seqcount_spinlock_t d_seq;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	unsigned char d_iname[32];
};

union shortname_store {
	unsigned char string[32];
};

/* Where dentry has no d_iname */
struct dentry___shortname {
	union shortname_store d_shortname;
};

struct vfsmount {
	struct dentry *mnt_root;
	int mnt_flags;
};

struct mount {
	struct mnt_namespace *mnt_ns; /* NULL once it is detached */
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_instance; /* in s_mounts */
};

struct mount___linked {
	struct mount *mnt_next_for_sb;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file_system_type {
	const char *name;
};

struct super_block {
	__u32 s_dev;
	struct file_system_type *s_type;
	unsigned long s_flags;
	unsigned long s_iflags;
	unsigned long s_magic;
	int s_stack_depth;
	struct dentry *s_root;
	struct block_device *s_bdev;
	void *s_fs_info;
	struct list_head s_mounts;
};

/* From the release on in which mount has no mnt_instance */
struct super_block___linked {
	struct mount *s_mounts;
};

struct gendisk {
	int major;
	void *private_data;
};

struct block_device {
	struct gendisk *bd_disk;
};

/* drivers/block/loop.c */
struct loop_device {
	struct file *lo_backing_file;
};

/* fs/btrfs/volumes.h, fs/btrfs/fs.h */
struct btrfs_device {
	struct block_device *bdev;
};

struct btrfs_fs_devices {
	__u64 num_devices;
	struct btrfs_device *latest_dev;
};

struct btrfs_fs_info {
	struct btrfs_fs_devices *fs_devices;
};

struct address_space {
	atomic_t i_mmap_writable;
	struct rb_root_cached i_mmap;
	unsigned long nrpages;
};

struct inode {
	unsigned short i_mode;
	__u32 i_rdev;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	unsigned long i_ino;
	const unsigned int i_nlink;
	__s64 i_size;
	/* 6.11, 3aa63a569c64 */
	time64_t i_mtime_sec;
	time64_t i_ctime_sec;
	__u32 i_mtime_nsec;
	__u32 i_ctime_nsec;
	atomic64_t i_version;
	atomic_t i_writecount;
	__u32 i_generation;
};

/* fs/overlayfs/ovl_entry.h: bits of the flags */
enum ovl_inode_flag {
	OVL_UPPERDATA,
};

struct ovl_inode {
	unsigned long flags;
	struct inode vfs_inode;
	struct dentry *__upperdentry;
};

/* Since 6.13 (87a8a76c34a2); before, private_data is the file itself. */
struct ovl_file {
	struct file *realfile;
};

/* up to 6.5 */
struct inode___timespec {
	struct timespec64 i_mtime;
	struct timespec64 i_ctime;
};

/* 6.6, 13bc24457850, i_ctime only; 6.7, 12cd44023651, both */
struct inode___accessor {
	struct timespec64 __i_mtime;
	struct timespec64 __i_ctime;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	void *private_data;
};

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct pid_namespace {
	struct ns_common ns;
};

struct uts_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct time_namespace {
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct user_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct kernfs_node {
	struct kernfs_node *parent;
	const char *name;
	__u64 id;
};

/* 6.15, 741c10b096bc */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct iattr {
	unsigned int ia_valid;
};

struct pid {
	unsigned int level;
	struct upid numbers[0];
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct time_namespace *time_ns_for_children;
	struct cgroup_namespace *cgroup_ns;
};

struct fs_struct {
	struct path root;
};

/* Two words up to 6.2, one from f122a08b197d on; the same bytes. */
typedef struct {
	__u64 val;
} kernel_cap_t;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
};

struct mm_struct {
	struct file *exe_file;
};

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
	struct {
		struct rb_node rb;
	} shared;
};

struct signal_struct {
	atomic_t live; /* threads that have not ended */
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	__u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct signal_struct *signal;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	kuid_t loginuid;
	unsigned int sessionid;
};

/* Per CPU. Before 6.2 (64701838bf05) and from 6.15 on (1ab7b5ed44ba) preempt_count stands alone. */
struct pcpu_hot {
	int preempt_count;
};

struct linux_binprm {
	unsigned long p;
	struct file *file;
	int argc;
	const char *filename;
	const char *interp;
	unsigned long exec;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num; /* of the object, from 0 */
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct file *file;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

struct io_rsrc_data {
	unsigned int nr;
};

struct io_file_table {
	struct io_rsrc_data data;
};

struct io_ring_ctx {
	struct io_file_table file_table;
};

struct io_ring_ctx___before_6_13 {
	unsigned int nr_user_files;
};

struct io_uring_cmd {
	struct file *file;
};

#pragma clang attribute pop

#endif
