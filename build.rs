//! Compiles the sensor and generates its skeleton; without the `recorder` feature there is nothing to do.

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=bpf");
    #[cfg(feature = "recorder")]
    build_sensor()?;
    Ok(())
}

#[cfg(feature = "recorder")]
fn build_sensor() -> anyhow::Result<()> {
    use anyhow::Context;
    let output = std::path::Path::new(&std::env::var("OUT_DIR")?).join("recorder.skel.rs");
    libbpf_cargo::SkeletonBuilder::new()
        .source("bpf/recorder.bpf.c")
        // v3: atomic compare-and-exchange, which every kernel with bpf_ima_file_hash has
        .clang_args(["-mcpu=v3", "-Wall", "-Werror"])
        .build_and_generate(&output)
        .context("cannot compile bpf/recorder.bpf.c (clang 14 or later is needed)")
}
