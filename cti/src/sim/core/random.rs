//! Seeded randomness: the same seed gives the same contact centre.

use std::time::Duration;

use crate::sim::config::Span;

/// SplitMix64: small, fast, good enough for arrivals and talk times; never for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    /// Whether something happens that happens in this share of cases.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        ((self.next() >> 11) as f64) < share * (1u64 << 53) as f64
    }

    /// A duration out of `span`, both ends included.
    pub(crate) fn within(&mut self, span: Span) -> Duration {
        let width = span.max.saturating_sub(span.min).as_micros() as u64;
        span.min + Duration::from_micros(self.next() % (width + 1))
    }

    /// Time to the next arrival of a Poisson process.
    pub(crate) fn gap(&mut self, per_minute: f64) -> Duration {
        // 53 bits give a uniform number in (0, 1]; its negative logarithm is exponentially distributed.
        let uniform = ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        Duration::from_secs_f64((-uniform.ln() * 60.0 / per_minute).min(86_400.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        assert!((0..100).all(|_| a.next() == b.next()));
    }

    #[test]
    fn arrivals_keep_their_rate() {
        let mut random = Random::new(3);
        let total: Duration = (0..6000).map(|_| random.gap(60.0)).sum();
        assert!((5700.0..6300.0).contains(&total.as_secs_f64()), "{total:?}");
    }

    #[test]
    fn durations_stay_within_their_span() {
        let mut random = Random::new(9);
        let span = Span::seconds(30, 180);
        assert!((0..1000).map(|_| random.within(span)).all(|d| d >= span.min && d <= span.max));
        assert_eq!(random.within(Span::millis(5, 5)), Duration::from_millis(5));
    }
}
