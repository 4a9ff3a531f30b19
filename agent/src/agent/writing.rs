//! From all that is known to files that are held: nothing, until the first generation is complete; then
//! as much as there is room for.

use std::collections::BTreeMap;

use mayfly_spec::Location;
use tracing::warn;

use super::keeper::Keeper;
use crate::{
    assembly::{self, Assembly, Order, View},
    disk::DiskError,
    fault::Fault,
    timestamp::Timestamp,
};

/// The next generation, and whether it is a new one that the volume holds now; nothing, if it is not
/// complete. What is too large for the volume holds back nothing else, the largest first.
pub(super) fn hold(
    keeper: &mut Keeper<'_>,
    order: &Order<'_>,
    views: &BTreeMap<&Location, View<'_>>,
    now: Timestamp,
) -> (Assembly, Result<Option<bool>, Fault>) {
    let mut held_back = BTreeMap::new();
    loop {
        let present = keeper.present();
        let assembly = assembly::assemble(order, views, &present, &held_back);
        if !keeper.is_held() && !assembly.is_complete() {
            return (assembly, Ok(None));
        }
        match keeper.hold(&assembly.wanted, now) {
            Err(DiskError::Lost(path)) if keeper.lose(&path) => {
                warn!(path, "changed on the volume by others, and not to be had anew");
            }
            Err(error @ DiskError::Full { .. }) if keeper.is_held() => {
                let Some(largest) = assembly.largest_change(order, &present) else {
                    return (assembly, Err(error.into()));
                };
                held_back.insert(largest, error.into());
            }
            result => return (assembly, result.map(Some).map_err(Fault::from)),
        }
    }
}
