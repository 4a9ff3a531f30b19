use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mayfly_spec::{
    Location, Reference,
    reference::{Arn, Wrapping},
};
use proptest::prelude::*;

use super::*;

const KEY_ARN: &str = "arn:aws:kms:eu-central-1:123456789012:key/6f1c2b1e";

fn workload(namespace: &str, service_account: &str) -> Workload {
    let [namespace, service_account] = [namespace, service_account].map(str::to_owned);
    Workload { namespace, service_account }
}

fn header(data_key: Vec<u8>) -> SealedHeader {
    let arn = Arn::parse(KEY_ARN).expect("an ARN");
    SealedHeader::new(Wrapping::Symmetric, arn, data_key).expect("a header")
}

fn sealed(value: &[u8], key: &DataKey, workload: &Workload) -> Sealed {
    seal(&value.to_vec().into(), key, header(vec![5; 60]), workload).expect("sealed")
}

/// The same envelope with one bit turned, if it still is one.
fn turned(sealed: &Sealed, at: usize, bit: u8) -> Option<Sealed> {
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed.to_string()).expect("base64url");
    let at = at % bytes.len();
    bytes[at] ^= 1 << bit;
    let text = format!("kms:{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    match text.parse::<Reference>().ok()?.location {
        Location::Kms(sealed) => Some(sealed),
        _ => None,
    }
}

#[test]
fn names_cannot_be_moved_across_their_border() {
    let key = DataKey::random().expect("a key");
    let sealed = sealed(b"hunter2", &key, &workload("shop", "web"));
    for (namespace, service_account) in [("sho", "pweb"), ("shopweb", ""), ("web", "shop")] {
        let other = workload(namespace, service_account);
        assert_eq!(open(&sealed, &key, &other).err(), Some(Altered), "{other}");
    }
}

#[test]
fn a_value_is_never_sealed_the_same_way_twice() {
    let (key, own) = (DataKey::random().expect("a key"), workload("shop", "web"));
    let [one, two] = [(); 2].map(|()| sealed(b"hunter2", &key, &own));
    assert!(one.nonce() != two.nonce() && one.ciphertext() != two.ciphertext());
    assert_ne!(key.expose(), DataKey::random().expect("a key").expose());
}

#[test]
fn a_key_has_its_length_and_tells_nothing() {
    assert!(DataKey::new(vec![1; 31]).is_none() && DataKey::new(vec![1; 33]).is_none());
    let key = DataKey::new(vec![1; KEY]).expect("a key");
    assert_eq!(format!("{key:?}"), "DataKey(…)");
}

proptest! {
    #[test]
    fn what_was_sealed_opens(
        value in prop::collection::vec(any::<u8>(), 0..2000),
        key in any::<[u8; KEY]>(),
        [namespace, service_account] in ["[a-z0-9-]{1,63}", "[a-z0-9.-]{1,63}"],
    ) {
        let (key, own) = (DataKey::new(key.to_vec()).expect("a key"), workload(&namespace, &service_account));
        let opened = open(&sealed(&value, &key, &own), &key, &own).expect("opened");
        prop_assert_eq!(opened.expose(), &value[..]);
    }

    #[test]
    fn nothing_opens_once_one_bit_of_it_is_another(at in any::<usize>(), bit in 0..8_u8) {
        let (key, own) = (DataKey::random().expect("a key"), workload("shop", "web"));
        let sealed = sealed(b"hunter2", &key, &own);
        if let Some(turned) = turned(&sealed, at, bit) {
            prop_assert_eq!(open(&turned, &key, &own).err(), Some(Altered));
        }
    }

    #[test]
    fn another_key_opens_nothing(bit in 0..256_usize) {
        let (key, own) = (DataKey::random().expect("a key"), workload("shop", "web"));
        let mut other = key.expose().to_vec();
        other[bit / 8] ^= 1 << (bit % 8);
        let other = DataKey::new(other).expect("a key");
        prop_assert_eq!(open(&sealed(b"hunter2", &key, &own), &other, &own).err(), Some(Altered));
    }
}
