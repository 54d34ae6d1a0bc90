//! Real packages for tests: Debian's rpmbuild makes them, and its rpm installs them and says what it knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where packages are made.
pub(super) struct Made(tempfile::TempDir);

/// What a package is made of.
#[derive(Default)]
pub(super) struct Spec<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// More lines of its head.
    pub(super) head: &'a str,
    /// Paths and what stands there.
    pub(super) files: &'a [(&'a str, &'a str)],
    /// Commands that make more of them, in the folder that becomes the root.
    pub(super) commands: &'a str,
    /// Which of them it owns, as `%files` has it.
    pub(super) listed: &'a str,
}

/// The database of a root, as rpm works on it.
pub(super) struct Root<'a> {
    made: &'a Made,
    pub(super) path: PathBuf,
}

impl Made {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a test directory"))
    }

    /// A program with what every use of it needs; its own home, so that nobody's macros count.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", self.0.path()).env("LC_ALL", "C").current_dir(self.0.path());
        command
    }

    pub(super) fn build(&self, spec: &Spec<'_>) -> PathBuf {
        let Spec { name, version, head, files, commands, listed } = spec;
        let at = |name: &str| self.0.path().join(name);
        let mut install = String::new();
        for (path, content) in *files {
            let folder = Path::new(path).parent().expect("a folder").display();
            install += &format!("mkdir -p \"%{{buildroot}}{folder}\"\nprintf '{content}' >\"%{{buildroot}}{path}\"\n");
        }
        let spec = format!(
            "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: one\nLicense: none\n{head}\n%description\nOne.\n\
             %install\nrm -rf %{{buildroot}}/*\nmkdir -p %{{buildroot}}\n{install}\ncd %{{buildroot}}\n{commands}\n%files\n{listed}\n"
        );
        fs::write(at("package.spec"), spec).expect("a spec");
        let defines = [
            format!("_topdir {}", at("top").display()),
            format!("_rpmdir {}", self.0.path().display()),
            "_rpmfilename package.rpm".into(),
        ];
        let mut command = self.command("rpmbuild");
        command.args(["-bb", "--quiet", "package.spec"]);
        command.args(defines.iter().flat_map(|define| ["--define", define]));
        run(&mut command);
        let built = at(&format!("{name}-{version}-{}.rpm", fs::read_dir(self.0.path()).expect("a folder").count()));
        fs::rename(at("package.rpm"), &built).expect("a package");
        built
    }

    /// A root with a database in which nothing is.
    pub(super) fn root(&self, path: &Path) -> Root<'_> {
        let root = Root { made: self, path: path.to_owned() };
        fs::create_dir_all(root.path.join("var/lib/rpm")).expect("a test directory");
        root.rpm(&["--initdb"]);
        root
    }
}

impl Root<'_> {
    /// What rpm says; it is to be content.
    pub(super) fn rpm(&self, arguments: &[&str]) -> String {
        let mut command = self.made.command("rpm");
        command.arg("--dbpath").arg(self.path.join("var/lib/rpm")).args(arguments);
        run(&mut command)
    }

    /// Installs or upgrades, and writes only the database: what stands at the paths is the test's.
    pub(super) fn install(&self, how: &[&str], package: &Path) {
        let package = package.display().to_string();
        self.rpm(&[&["--nodeps", "--justdb"], how, &[package.as_str()]].concat());
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} needs Debian's package rpm: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
