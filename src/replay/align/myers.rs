//! The greedy algorithm of Myers, up to a bound.

/// The most differences that are looked for: what is kept for the way back grows with their square (4 MiB for 1,448).
const MOST: usize = 1_448;

/// The equal elements that the shortest edit script keeps, in order; nothing where it is longer than the bound.
pub(super) fn pairs(a: &[u64], b: &[u64]) -> Option<Vec<(usize, usize)>> {
    let (n, m) = (i32::try_from(a.len()).ok()?, i32::try_from(b.len()).ok()?);
    let most = a.len().saturating_add(b.len()).min(MOST) as i32;
    // How far each diagonal reached, by the number of differences. Of `d` differences those from -d to d, every second.
    let mut reached: Vec<Vec<i32>> = Vec::new();
    for d in 0..=most {
        let before = reached.last();
        let mut now = Vec::with_capacity(d as usize + 1);
        for k in (-d..=d).step_by(2) {
            let (mut x, _) = step(before, d, k, n, m);
            while equal(a, b, x, x - k) {
                x += 1;
            }
            now.push(x);
            if x >= n && x - k >= m {
                reached.push(now);
                return Some(back(a, b, &reached));
            }
        }
        reached.push(now);
    }
    None
}

/// Where diagonal `k` begins after `d` differences, and the diagonal it came from.
fn step(before: Option<&Vec<i32>>, d: i32, k: i32, n: i32, m: i32) -> (i32, i32) {
    let Some(before) = before else { return (0, 0) };
    // The place of a diagonal among those of d - 1; what runs out of the sequences is no way.
    let at = |k: i32| {
        let place = usize::try_from((k + d - 1) / 2).ok().filter(|_| k.abs() < d)?;
        before.get(place).copied()
    };
    let down = at(k + 1).filter(|x| x - k <= m).map(|x| (x, k + 1));
    let right = at(k - 1).map(|x| x + 1).filter(|x| *x <= n).map(|x| (x, k - 1));
    match (down, right) {
        (Some(down), Some(right)) => {
            if down.0 > right.0 {
                down
            } else {
                right
            }
        }
        (Some(one), None) | (None, Some(one)) => one,
        // Outside of both sequences: no further way leads through here.
        (None, None) => (i32::MIN / 2, k),
    }
}

fn equal(a: &[u64], b: &[u64], x: i32, y: i32) -> bool {
    let element = |side: &[u64], place: i32| usize::try_from(place).ok().and_then(|place| side.get(place).copied());
    matches!((element(a, x), element(b, y)), (Some(one), Some(other)) if one == other)
}

fn back(a: &[u64], b: &[u64], reached: &[Vec<i32>]) -> Vec<(usize, usize)> {
    let (n, m) = (a.len() as i32, b.len() as i32);
    let (mut x, mut k) = (n, n - m);
    let mut pairs = Vec::new();
    for d in (0..reached.len()).rev() {
        let before = d.checked_sub(1).and_then(|d| reached.get(d));
        let (begin, from) = step(before, d as i32, k, n, m);
        while x > begin {
            x -= 1;
            pairs.extend(usize::try_from(x).ok().zip(usize::try_from(x - k).ok()));
        }
        // The difference itself: down leaves x where it is, right takes one.
        x = if from == k + 1 { begin } else { begin - 1 };
        k = from;
    }
    pairs.reverse();
    pairs
}
