//! What is changed in an input.

/// The generator of Steele, Lea and Flood (2014), splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// One of what readers trip over: ends of ranges, signs, brackets, words that are no numbers.
    fn token(&mut self) -> &'static [u8] {
        const TOKENS: [&[u8]; 20] = [
            b"0",
            b"-1",
            b"1e999",
            b"18446744073709551615",
            b"9223372036854775808",
            b"nan",
            b"null",
            b"\"",
            b"[",
            b"}",
            b"\n",
            b",",
            b"\0",
            b"\xff\xff\xff\xff",
            b"\x80",
            b"\x7f\xff\xff\xff",
            b"1e-400",
            b"[[[[[[[[[[",
            b"=",
            b"\xc3\x28",
        ];
        TOKENS[self.below(TOKENS.len())]
    }

    /// An input with one to four things changed.
    pub(crate) fn mutated(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..1 + self.below(4) {
            let (at, other) = (self.below(bytes.len() + 1), self.below(bytes.len() + 1));
            let (low, high) = (at.min(other), at.max(other));
            match self.below(7) {
                0 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << (other % 8);
                    }
                }
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(low..high.min(low + 16))),
                3 => {
                    let part = bytes[low..high.min(low + 64)].to_vec();
                    bytes.splice(at..at, part);
                }
                4 => drop(bytes.splice(at..at, self.token().iter().copied())),
                5 => {
                    let token = self.token();
                    let end = (at + token.len()).min(bytes.len());
                    bytes.splice(at..end, token.iter().copied());
                }
                _ => {
                    // A number becomes another one.
                    let digit = bytes[at..].iter().position(u8::is_ascii_digit).map(|place| at + place);
                    if let Some(start) = digit {
                        let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                        bytes.splice(start..start + length, self.token().iter().copied());
                    }
                }
            }
        }
        bytes
    }
}
