//! What the agent and its volume may use, and what of it cannot be.
//!
//! PURE.

use super::Planner;
use crate::{
    fault::Fault,
    quantity::{MEBIBYTE, Quantity},
    resources::{Pair, Resources},
    settings::Annotation,
};

impl Planner<'_> {
    pub(super) fn allot(&mut self) -> Resources {
        let resources = Resources::of(self.request, self.pod);
        self.refuse_excess(&resources.cpu, [Annotation::CpuRequest, Annotation::CpuLimit]);
        self.refuse_excess(&resources.memory, [Annotation::MemoryRequest, Annotation::MemoryLimit]);
        let storage = [Annotation::EphemeralStorageRequest, Annotation::EphemeralStorageLimit];
        self.refuse_excess(&resources.storage, storage);
        self.refuse_want(&resources.memory, resources.needed());
        resources
    }

    fn refuse_excess(&mut self, (request, limit): &Pair, [of_request, of_limit]: [Annotation; 2]) {
        if let (Some(request), Some(limit)) = (request, limit)
            && request > limit
        {
            let message = format!("`{request}` is more than `{of_limit}`, which is `{limit}`");
            self.faults.push(Fault::new(of_request.to_string(), message));
        }
    }

    fn refuse_want(&mut self, (_, limit): &Pair, needed: u64) {
        let Some(limit) = limit.as_ref().filter(|limit| limit.units() < needed) else {
            return;
        };
        let needed = Quantity::mebibytes(needed.div_ceil(MEBIBYTE));
        let message = format!(
            "`{limit}` is too little: the agent needs 16Mi and the volume's size, together `{needed}`; allowed: `{needed}` or more, or a smaller `{}`",
            Annotation::VolumeSize
        );
        self.faults.push(Fault::new(Annotation::MemoryLimit.to_string(), message));
    }
}
