use rustls::crypto::aws_lc_rs::default_provider;

use super::*;
use crate::certificate;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

#[test]
fn an_authority_says_whose_it_is_and_ends_with_its_certificate() {
    let now = NOW + Duration::from_secs(1_900_000_000);
    for replica in [Replica::pod("mayfly", "a-b-1"), Replica::process("laptop")] {
        let lifetime = Duration::from_mins(1);
        let wish = Wish {
            replica: replica.clone(),
            names: vec!["a.b.svc".to_owned(), "::1".to_owned()],
            lifetime,
        };
        let identity = wish.issue(now, &default_provider()).expect("an identity");
        let authority = certificate::read(identity.authority.certificate()).expect("a certificate");
        let leaf = certificate::read(&identity.pair.cert[0]).expect("a certificate");
        assert_eq!(authority.replica, Some(replica));
        assert_eq!(leaf.replica, None);
        let day = Duration::from_hours(24);
        let expected = Validity { not_before: now - day, not_after: now + lifetime };
        assert_eq!([authority.validity, leaf.validity, identity.validity], [expected; 3]);
        assert_eq!(leaf.names, ["a.b.svc", "::1"]);
        identity.pair.keys_match().expect("the certificate's own key");
    }
}
