//! Vault as a whole: what is leased is renewed, replaced in time and given back; what is issued is issued anew; tokens end
//! and nothing is lost; who read what can be told.

mod app;
mod audit;
mod certainty;
mod certificates;
mod explanation;
mod faults;
mod leases;
mod machine;
mod restarts;
mod sessions;
mod tokens;

use mayfly_tests::lab::suite::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        leases::cases(),
        certificates::cases(),
        certainty::cases(),
        tokens::cases(),
        faults::cases(),
        restarts::cases(),
        audit::cases(),
        explanation::cases(),
    ]
    .concat()
}
