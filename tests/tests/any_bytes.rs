//! The dialogues of the fuzz targets in the ordinary run: every seed, and as many mutations of seeds as a few seconds
//! allow, from a generator with a fixed seed. What is judged is in `fuzz::dialogue` and `fuzz::bosh`; a script that
//! breaks a promise panics there. `ANY_BYTES=n` plays n mutations of each transport (1000).

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fuzz::script;
use fuzz::wire::{Tcp, WebSocket};

/// SplitMix64: a failure can be had again by running the test again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Some steps of one script and some of another, and a few bytes that are something else.
fn mutated(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let lines =
        |seed: &[u8]| -> Vec<Vec<u8>> { seed.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect() };
    let mut script = lines(&seeds[dice.roll(seeds.len())]);
    let other = lines(&seeds[dice.roll(seeds.len())]);
    for _ in 0..=dice.roll(6) {
        let (at, length) = (dice.roll(script.len()), 1 + dice.roll(8));
        let foreign = other.iter().skip(dice.roll(other.len())).take(length).cloned();
        match dice.roll(4) {
            0 => drop(script.splice(at..at, foreign)),
            1 if script.len() > 1 => drop(script.remove(at)),
            2 => script.push(script[at].clone()),
            _ => {
                let with = dice.roll(script.len());
                script.swap(at, with);
            }
        }
    }
    let mut bytes = script.join(&b'\n');
    for _ in 0..dice.roll(6) {
        let at = dice.roll(bytes.len() + 1);
        match dice.roll(3) {
            0 => bytes.insert(at, dice.roll(256) as u8),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            _ if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            _ => {}
        }
    }
    bytes
}

fn survives(target: &str, play: fn(&[u8])) {
    let rounds = std::env::var("ANY_BYTES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let seeds = seeds(target);
    assert!(seeds.len() >= 10, "the seeds are there");
    let mut dice = Dice(76);
    let made = (0..rounds).map(|_| mutated(&seeds, &mut dice));
    for script in seeds.iter().cloned().chain(made) {
        let ended = catch_unwind(AssertUnwindSafe(|| play(&script)));
        assert!(ended.is_ok(), "{target}:\n{}", script.escape_ascii().to_string().replace("\\n", "\n"));
    }
}

#[test]
fn x76_dialogues_over_tcp_survive_any_bytes() {
    survives("tcp_dialogue", script::play::<Tcp>);
}

#[test]
fn x76_dialogues_over_websocket_survive_any_bytes() {
    survives("websocket_dialogue", script::play::<WebSocket>);
}

#[test]
fn x76_dialogues_over_bosh_survive_any_bytes() {
    survives("bosh_dialogue", fuzz::bosh::play);
}
