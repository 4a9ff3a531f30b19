use proptest::prelude::*;

use super::*;
use crate::{Location, Reference};

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/6f1c2b1e-0000-4000-8000-000000000001";

fn header(wrapping: Wrapping, data_key: Vec<u8>) -> SealedHeader {
    SealedHeader::new(wrapping, Arn::parse(KEY).expect("an ARN"), data_key).expect("a header")
}

fn sealed() -> Sealed {
    Sealed::new(header(Wrapping::Symmetric, vec![7; 184]), [9; NONCE], vec![1; 40]).expect("whole")
}

fn refused(bytes: &[u8]) -> String {
    let text = format!("kms:{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    text.parse::<Reference>().expect_err(&text).to_string()
}

fn bytes() -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(sealed().to_string()).expect("base64url")
}

#[test]
fn it_is_named_by_its_key() {
    let reference: Reference = format!("kms:{}#user", sealed()).parse().expect("a reference");
    assert_eq!(reference.location, Location::Kms(sealed()));
    assert_eq!(reference.label(), format!("kms:{KEY}#user"));
}

#[test]
fn an_envelope_that_cannot_be_is_refused_with_the_reason() {
    let change = |at: usize, to: u8| {
        let mut bytes = bytes();
        bytes[at] = to;
        refused(&bytes)
    };
    assert!(change(0, 2).contains("version 2"));
    assert!(change(1, 3).contains("in a way that is not known"));
    assert!(change(4, b'x').contains("names no KMS key"));
    assert!(change(4 + KEY.find("kms").expect("kms"), b's').contains("names no KMS key"));
    assert!(change(2, 255).contains("cut off"));
    let alias = KEY.replace("key/", "alias/");
    let alias = Arn::parse(&alias).expect("an ARN");
    assert!(SealedHeader::new(Wrapping::Symmetric, alias, vec![1]).is_err());
}

#[test]
fn base64_has_one_spelling() {
    let text = sealed().to_string();
    for other in [format!("{text}="), format!("{text}+"), text[1..].to_owned(), "a b".to_owned()] {
        assert!(format!("kms:{other}").parse::<Reference>().is_err(), "{other}");
    }
}

proptest! {
    #[test]
    fn parsing_inverts_display(
        rsa in any::<bool>(),
        data_key in prop::collection::vec(any::<u8>(), 1..600),
        nonce in any::<[u8; NONCE]>(),
        ciphertext in prop::collection::vec(any::<u8>(), TAG..600),
    ) {
        let wrapping = if rsa { Wrapping::RsaOaepSha256 } else { Wrapping::Symmetric };
        let sealed = Sealed::new(header(wrapping, data_key), nonce, ciphertext).expect("whole");
        prop_assert_eq!(Sealed::parse(&sealed.to_string()), Ok(sealed));
    }

    #[test]
    fn what_is_cut_off_is_refused(length in 0..268_usize) {
        let bytes = bytes();
        // Below the tag's end nothing is whole; behind it only the tag can tell.
        let least = bytes.len() - 40 + TAG;
        prop_assert!(length >= least || refused(&bytes[..length]).contains("kms:"));
    }
}
