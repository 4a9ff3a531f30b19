//! What the answer to any body takes at most: twelve times its size, and 4 MiB, whatever is in it.
//!
//! A test program of its own, because it counts every byte that it takes.

mod pods;

use std::hint::black_box;

use mayfly_admission::{
    config::Config,
    policy::Directory,
    review::{forecast, review},
};
use mayfly_tests::crowds;
use peak_alloc::PeakAlloc;
use proptest::test_runner::{Config as Tries, TestRunner};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const RATE: usize = 12;
const ALLOWANCE: usize = 4 * 1024 * 1024;

/// One test, so that nothing else takes memory meanwhile.
#[test]
fn any_answer_takes_at_most_twelve_times_the_body_and_four_mebibytes() {
    let configs = [OPEN, RULED].map(|text| Config::from_yaml(text).expect("a configuration"));
    for (name, body) in crowds::all() {
        for config in &configs {
            hold(name, config, &body);
        }
    }
    let strategy = pods::hostile();
    let mut runner = TestRunner::new(Tries { failure_persistence: None, ..Tries::with_cases(48) });
    let outcome = runner.run(&strategy, |body| {
        for config in &configs {
            hold("a generated body", config, &body);
        }
        Ok(())
    });
    outcome.expect("every generated body");
}

const OPEN: &str = "defaults: {vault-address: 'https://vault:8200', vault-role: web}";
const RULED: &str = "
defaults: {vault-address: 'https://vault:8200', vault-role: web}
policy:
  rules:
  - {name: team, references: ['aws-sm:{namespace}/*', 'vault:secret/{namespace}/*']}
";

/// Answers `body` as the server does, and sees what that took beside the body itself.
fn hold(name: &str, config: &Config, body: &[u8]) {
    let directory = Directory::default();
    for decide in [review, forecast] {
        ALLOCATED.reset_peak_usage();
        let before = ALLOCATED.current_usage();
        drop(black_box(decide(config, &directory, body).answer()));
        let taken = ALLOCATED.peak_usage().saturating_sub(before);
        let allowed = RATE * body.len() + ALLOWANCE;
        assert!(taken <= allowed, "{name}: {taken} bytes for a body of {}", body.len());
        assert!(ALLOCATED.current_usage() <= before + 64 * 1024, "{name}: something stays");
    }
}
