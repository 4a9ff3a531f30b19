use std::{sync::LazyLock, time::Duration};

use proptest::{collection::vec, prelude::*, sample::select};
use rustls::crypto::aws_lc_rs::default_provider;

use super::*;
use crate::issue::Wish;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// Two of each replica's, and two that Mayfly did not make.
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut entries: Vec<Entry> = replicas().iter().flat_map(|it| [issue(it), issue(it)]).collect();
    for name in ["x", "y"] {
        let foreign = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        entries.extend(Bundle::parse(foreign.cert.pem().as_bytes()).entries);
    }
    entries
});

fn replicas() -> [Replica; 4] {
    let pod = |name: &str| Replica::pod("mayfly", name);
    [pod("a"), pod("b"), Replica::pod("other", "a"), Replica::process("a")]
}

fn issue(replica: &Replica) -> Entry {
    let names = vec!["localhost".to_owned()];
    let wish = Wish { replica: replica.clone(), names, lifetime: Duration::from_mins(1) };
    let now = NOW + Duration::from_secs(1_900_000_000);
    wish.issue(now, &default_provider()).expect("an identity").authority
}

fn bundle(entries: &[Entry]) -> Bundle {
    Bundle { entries: entries.to_vec(), unreadable: 0 }
}

fn some() -> impl Strategy<Value = Vec<Entry>> {
    vec(select(&ENTRIES[..]), 0..12)
}

fn ours(replica: &Replica) -> Vec<Entry> {
    ENTRIES.iter().filter(|entry| entry.replica() == Some(replica)).cloned().collect()
}

fn garbage() -> impl Strategy<Value = String> {
    let block = format!("{BEGIN}\nbm8gY2VydGlmaWNhdGU=\n{END}\n");
    prop_oneof![
        Just(String::new()),
        Just("# a comment\n".to_owned()),
        Just(block),
        Just(format!("{BEGIN}\n")),
        Just(format!("{END}\n")),
        "[ -~\n]{0,40}",
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(entries in some()) {
        let bundle = bundle(&entries);
        prop_assert!(Bundle::parse(bundle.to_string().as_bytes()).is_as_good_as(&bundle));
    }

    #[test]
    fn any_bytes_are_read(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Bundle::parse(&bytes).entries().is_empty());
    }

    #[test]
    fn garbage_hides_no_certificate(entries in some(), garbage in vec(garbage(), 12)) {
        let texts = entries.iter().map(|entry| bundle(std::slice::from_ref(entry)).to_string());
        let text: String = texts.zip(garbage).map(|(good, bad)| good + &bad).collect();
        let read = Bundle::parse(text.as_bytes());
        prop_assert!(entries.iter().all(|entry| read.holds(entry)));
    }

    #[test]
    fn a_merge_is_idempotent_and_its_order_is_its_own(
        entries in some(), restored in some(), useless in some(), which in select(replicas().to_vec()),
    ) {
        let useless: BTreeSet<Der> = useless.iter().map(|it| it.certificate().clone()).collect();
        let own = ours(&which);
        let change = Change { replica: &which, own: &own, restored: &restored, useless: &useless };
        let merged = bundle(&entries).merge(&change);
        prop_assert_eq!(merged.merge(&change).to_string(), merged.to_string());
        let backwards: Vec<Entry> = entries.iter().rev().cloned().collect();
        prop_assert!(bundle(&backwards).merge(&change).is_as_good_as(&merged));
    }

    #[test]
    fn a_merge_takes_out_what_is_ours_and_old_or_useless_and_nothing_else(
        entries in some(), useless in some(), which in select(replicas().to_vec()),
    ) {
        let useless: BTreeSet<Der> = useless.iter().map(|it| it.certificate().clone()).collect();
        let own = &ours(&which)[..1];
        let change = Change { replica: &which, own, restored: &[], useless: &useless };
        let merged = bundle(&entries).merge(&change);
        for entry in entries.iter().chain(own) {
            let stays = match entry.replica() {
                None => true,
                Some(replica) if *replica == which => own.contains(entry),
                Some(_) => !useless.contains(entry.certificate()),
            };
            prop_assert_eq!(merged.holds(entry), stays, "{:?}", entry);
        }
        let distinct: BTreeSet<_> = merged.entries().iter().map(Entry::certificate).collect();
        prop_assert_eq!(distinct.len(), merged.entries().len());
    }

    #[test]
    fn replicas_in_any_order_end_with_the_same_text(
        entries in some(), order in Just(replicas().to_vec()).prop_shuffle(),
    ) {
        let merge_all = |order: &[Replica]| order.iter().fold(bundle(&entries), |bundle, replica| {
            let none = BTreeSet::new();
            let own = ours(replica);
            bundle.merge(&Change { replica, own: &own, restored: &[], useless: &none })
        });
        prop_assert_eq!(merge_all(&order).to_string(), merge_all(&replicas()).to_string());
    }
}

#[test]
fn blocks_that_are_no_certificates_are_counted_and_are_a_reason_to_write() {
    let good = bundle(&ENTRIES[..1]);
    for (garbage, unreadable) in [
        ("", 0),
        ("# a comment\n", 0),
        ("-----BEGIN CERTIFICATE-----\nx", 1),
        ("-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", 1),
        ("-----BEGIN EC PRIVATE KEY-----\nbm8=\n-----END EC PRIVATE KEY-----\n", 1),
    ] {
        let read = Bundle::parse(format!("{garbage}{good}").as_bytes());
        assert_eq!((read.unreadable(), read.entries().len()), (unreadable, 1), "{garbage}");
        assert_eq!(read.is_as_good_as(&good), unreadable == 0);
    }
}
