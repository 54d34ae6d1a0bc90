//! What the running kernel's BTF says: of the prototypes of its LSM hooks, and of its structures.

mod walk;

pub(crate) use walk::{End, Start, Walk, check_path};

use anyhow::{Context, Result, bail};
use libbpf_rs::Btf;
use libbpf_rs::btf::types::{Array, Composite, Enum, Enum64, Func, FuncProto, Int, IntEncoding, Ptr, Struct, Union};
use libbpf_rs::btf::{BtfKind, BtfType, HasSize, ReferencesType, TypeId};
use std::fmt;

/// A kernel's types.
pub(crate) struct Kernel {
    btf: Btf<'static>,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Kernel").finish_non_exhaustive()
    }
}

/// What stands at a place: an argument of a hook, or where a walk ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A number; an enumeration is one.
    Integer {
        /// Width.
        bytes: u8,
        /// Values may be negative.
        signed: bool,
    },
    /// The bytes of a text stand here.
    Characters {
        /// At most so many.
        bytes: u32,
    },
    /// A pointer to a text.
    Text,
    /// A pointer to a structure or union of this name.
    Pointer(String),
    /// A structure or union itself, of this name; empty where it has none.
    Structure(String),
    /// Anything else.
    Other,
}

/// An argument of a hook.
pub(crate) struct Argument {
    /// The kernel's name of it.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: Kind,
    /// As C writes its type.
    pub(crate) text: String,
    id: TypeId,
}

impl Kernel {
    /// Reads the running kernel's BTF.
    ///
    /// # Errors
    /// When it has none.
    pub(crate) fn read() -> Result<Self> {
        Ok(Self { btf: Btf::from_vmlinux().context("cannot read the kernel's BTF")? })
    }

    /// Whether the kernel has a hook that BPF programs can be attached to.
    pub(crate) fn has_hook(&self, name: &str) -> bool {
        self.prototype(name).is_some()
    }

    /// Whether the kernel heeds what a hook returns.
    pub(crate) fn can_deny(&self, hook: &str) -> bool {
        self.prototype(hook).is_some_and(|prototype| prototype.referenced_type().kind() != BtfKind::Void)
    }

    /// How many arguments a hook has; none where the kernel has no such hook.
    pub(crate) fn argument_count(&self, hook: &str) -> Option<usize> {
        Some(self.prototype(hook)?.len())
    }

    /// One argument of a hook; none where the kernel has no such hook, or the hook no such argument.
    pub(crate) fn argument(&self, hook: &str, index: u8) -> Option<Argument> {
        let id = self.prototype(hook)?.get(usize::from(index))?.ty;
        let type_of = self.btf.type_by_id::<BtfType<'_>>(id)?;
        // The hooks' own functions have no names of their arguments; where they have, it is said.
        let name = self.prototype(hook)?.get(usize::from(index))?.name.map(|name| name.to_string_lossy().into_owned());
        Some(Argument { name: name.unwrap_or_default(), kind: kind_of(type_of), text: text_of(type_of), id })
    }

    fn prototype(&self, hook: &str) -> Option<FuncProto<'_>> {
        if hook.contains('\0') {
            return None;
        }
        let function = self.btf.type_by_name::<Func<'_>>(&format!("bpf_lsm_{hook}"))?;
        FuncProto::try_from(function.referenced_type()).ok()
    }

    /// A structure, or else a union, of this name.
    fn composite(&self, name: &str) -> Result<Composite<'_>> {
        if name.contains('\0') {
            bail!("a name holds a NUL");
        }
        // The first type of a name may be a typedef or a function.
        let of_kind = |composite: Composite<'_>| composite.name().is_some_and(|known| known == name);
        if let Some(known) = self.btf.type_by_name::<Struct<'_>>(name) {
            return Ok(known.into());
        }
        if let Some(known) = self.btf.type_by_name::<Union<'_>>(name) {
            return Ok(known.into());
        }
        let found = self.btf.type_by_kind::<Composite<'_>>().find(|composite| of_kind(*composite));
        found.with_context(|| format!("there is no `struct {name}`"))
    }
}

/// What a type is, beneath its names and qualifiers.
fn kind_of(of: BtfType<'_>) -> Kind {
    let of = of.skip_mods_and_typedefs();
    if let Ok(int) = Int::try_from(of) {
        return integer(int.size(), matches!(int.encoding, IntEncoding::Signed));
    }
    if let Ok(values) = Enum::try_from(of) {
        return integer(values.size(), values.is_signed());
    }
    if let Ok(values) = Enum64::try_from(of) {
        return integer(values.size(), values.is_signed());
    }
    if let Ok(array) = Array::try_from(of)
        && is_character(array.contained_type())
    {
        return Kind::Characters { bytes: u32::try_from(array.capacity()).unwrap_or(u32::MAX) };
    }
    if let Ok(pointer) = Ptr::try_from(of) {
        let target = pointer.referenced_type();
        if is_character(target) {
            return Kind::Text;
        }
        let target = target.skip_mods_and_typedefs();
        return Composite::try_from(target).map_or(Kind::Other, |composite| Kind::Pointer(name_of(&composite)));
    }
    Composite::try_from(of).map_or(Kind::Other, |composite| Kind::Structure(name_of(&composite)))
}

fn integer(bytes: usize, signed: bool) -> Kind {
    match u8::try_from(bytes) {
        Ok(bytes @ 1..=8) => Kind::Integer { bytes, signed },
        _ => Kind::Other,
    }
}

/// `char`, `unsigned char` and what is another name of them.
fn is_character(of: BtfType<'_>) -> bool {
    Int::try_from(of.skip_mods_and_typedefs())
        .is_ok_and(|int| int.size() == 1 && !matches!(int.encoding, IntEncoding::Bool))
}

fn name_of(composite: &Composite<'_>) -> String {
    composite.name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A type as C writes it, near enough for a person.
fn text_of(of: BtfType<'_>) -> String {
    let name = || of.name().map_or_else(|| "?".to_owned(), |name| name.to_string_lossy().into_owned());
    match of.kind() {
        BtfKind::Struct => format!("struct {}", name()),
        BtfKind::Union => format!("union {}", name()),
        BtfKind::Enum | BtfKind::Enum64 => format!("enum {}", name()),
        BtfKind::Void => "void".to_owned(),
        BtfKind::Ptr => {
            let target = of.next_type().map_or_else(|| "void".to_owned(), text_of);
            format!("{target} *").replace("* *", "**")
        }
        BtfKind::Const => format!("const {}", of.next_type().map_or_else(|| "void".to_owned(), text_of)),
        BtfKind::Volatile | BtfKind::Restrict | BtfKind::TypeTag => of.next_type().map_or_else(name, text_of),
        _ => name(),
    }
}
