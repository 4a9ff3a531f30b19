//! Where something is in an object, on the way down to it.
//!
//! PURE. Costs nothing until somebody asks for its text.

/// The way from the object to one of its values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// The object itself.
    Root,
    /// A field of what is at a place.
    Field(&'a Self, &'a str),
    /// An item of the list at a place.
    Item(&'a Self, usize),
}

impl Place<'_> {
    /// As JSON Pointer.
    pub(super) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut place = self;
        loop {
            place = match place {
                Self::Root => break,
                Self::Field(above, name) => {
                    steps.push(name.replace('~', "~0").replace('/', "~1"));
                    above
                }
                Self::Item(above, index) => {
                    steps.push(index.to_string());
                    above
                }
            };
        }
        steps.iter().rev().flat_map(|step| ["/", step]).collect()
    }
}

/// A JSON Pointer as people write places.
pub(super) fn shown(pointer: &str) -> String {
    let steps = pointer.replace('/', ".").replace("~1", "/").replace("~0", "~");
    steps.trim_start_matches('.').to_owned()
}
