//! What a stage reads of content does not stay behind in memory that nobody holds any more.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use prost::Message;
use veilspan::otlp::assemble::patched;
use veilspan::otlp::{Look, Request};
use veilspan::processor::privacy::Privacy;

use super::build::*;

/// As long as a paragraph, so that what memory is used for next leaves some of it.
const LENGTH: usize = 4096;
const STAND_IN: &str = "STANDIN-";

/// A text that stands nowhere in memory but where it was put: each byte follows from its place.
fn secret(place: usize, salt: u32) -> u8 {
    let mixed = (place as u32 + 1).wrapping_mul(0x9e37_79b9) ^ salt.wrapping_mul(0x85eb_ca6b);
    b'a' + ((mixed ^ mixed >> 15).wrapping_mul(0x2c1b_3c6d) >> 16) as u8 % 26
}

/// How many pieces of the secret stand in the memory of this process.
fn pieces(salt: u32) -> usize {
    const PIECE: usize = 48;
    let mut whole: Vec<u8> = (0..LENGTH).map(|place| secret(place, salt)).collect();
    let mut chunk = vec![0; 1 << 20];
    // What is searched for and what is searched in stand in memory too.
    let own = [&whole, &chunk].map(|own: &Vec<u8>| {
        let from = own.as_ptr().addr() as u64;
        from..from + own.len() as u64
    });
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let (from, to) = range.split_once('-').unwrap();
        let [mut at, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        while rights.starts_with("rw") && at < to {
            let length = (to - at).min(chunk.len() as u64) as usize;
            if memory.seek(SeekFrom::Start(at)).is_err() || memory.read_exact(&mut chunk[..length]).is_err() {
                break;
            }
            // Some of them are enough: the memory may have been used again up to anywhere.
            for piece in whole.chunks_exact(PIECE).step_by(10) {
                let places = memchr::memmem::find_iter(&chunk[..length], piece);
                found += places.filter(|place| own.iter().all(|own| !own.contains(&(at + *place as u64)))).count();
            }
            at += length as u64;
        }
    }
    whole.fill(0);
    chunk.fill(0);
    found
}

/// What is left in memory of a secret in this attribute once the stage has looked at it.
fn left(key: &str, salt: u32, value: impl Fn(AnyValue) -> AnyValue) -> usize {
    let stand_in = STAND_IN.repeat(LENGTH / STAND_IN.len());
    let mut request = of_spans([span([attribute(key, value(text(stand_in.as_str())))])]).encode_to_vec();
    let place = request.windows(LENGTH).position(|window| window == stand_in.as_bytes()).unwrap();
    (0..LENGTH).for_each(|step| request[place + step] = secret(step, salt));
    let request = Bytes::from(request);
    for policy in every_policy() {
        let parsed = Request::parse(request.clone(), Look::Inside).unwrap();
        drop(patched(&parsed, &Privacy::new(policy).request(&parsed)));
    }
    assert!(pieces(salt) > 0, "it is found where it stands");
    let mut request = Vec::from(request);
    request.fill(0);
    pieces(salt)
}

#[test]
fn content_in_arrays_and_maps_is_wiped_wherever_it_was_copied_to() {
    let message = |text: AnyValue| {
        let part = map([attribute("type", super::build::text("text")), attribute("content", text)]);
        map([attribute("role", super::build::text("user")), attribute("parts", array([part]))])
    };
    let cases: [(&str, &dyn Fn(AnyValue) -> AnyValue); 4] = [
        ("gen_ai.input.messages", &|text| array([message(text)])),
        ("gen_ai.tool.call.arguments", &|text| map([attribute("command", text)])),
        ("gen_ai.tool.call.result", &|text| array([text])),
        ("somebody.elses", &|text| map([attribute("of", array([text]))])),
    ];
    for (salt, (key, value)) in (1..).zip(cases) {
        assert_eq!(left(key, salt, value), 0, "{key}");
    }
}
