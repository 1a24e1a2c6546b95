//! What differs, aligned by weight: all ways within a band around the diagonal.

use std::ops::Range;

use super::{GAP, Op, Script};

/// The most cells of one hunk, and the least half of its band's width where it has more.
const CELLS: usize = 1 << 18;
const BAND: usize = 8;
const FAR: u32 = u32::MAX / 2;

/// Aligns the elements `a` of the first sequence with the elements `b` of the second.
pub(super) fn hunk(a: Range<usize>, b: Range<usize>, cost: &mut dyn FnMut(usize, usize) -> u32, script: &mut Script) {
    let (n, m) = (a.len(), b.len());
    if n == 0 || m == 0 {
        script.ops.extend(a.map(Op::Delete));
        script.ops.extend(b.map(Op::Insert));
        return;
    }
    let whole = (n + 1).saturating_mul(m + 1) <= CELLS;
    // A band reaches at least from one corner to the other.
    let half = if whole { n.max(m) } else { n.abs_diff(m) + BAND.max(CELLS / (2 * (n + 1))) };
    script.approximate |= !whole;
    if !whole && (n + 1).saturating_mul(2 * half + 1) > 4 * CELLS {
        return in_order(a, b, cost, script);
    }
    banded(a, b, half, cost, script);
}

/// Pairs elements in their order, where the one can stand for the other.
fn in_order(a: Range<usize>, b: Range<usize>, cost: &mut dyn FnMut(usize, usize) -> u32, script: &mut Script) {
    let shared = a.len().min(b.len());
    for (x, y) in a.clone().zip(b.clone()) {
        if cost(x, y) <= 2 * GAP {
            script.ops.push(Op::Pair(x, y));
        } else {
            script.ops.extend([Op::Delete(x), Op::Insert(y)]);
        }
    }
    script.ops.extend(a.skip(shared).map(Op::Delete));
    script.ops.extend(b.skip(shared).map(Op::Insert));
}

#[derive(Clone, Copy)]
enum Way {
    Pair,
    Delete,
    Insert,
}

fn banded(
    a: Range<usize>,
    b: Range<usize>,
    half: usize,
    cost: &mut dyn FnMut(usize, usize) -> u32,
    script: &mut Script,
) {
    let (n, m) = (a.len(), b.len());
    let bounds = |row: usize| row.saturating_sub(half)..(row + half).min(m) + 1;
    let mut ways: Vec<(usize, Vec<Way>)> = Vec::with_capacity(n + 1);
    let mut above: (usize, Vec<u32>) = (0, Vec::new());
    for row in 0..=n {
        let columns = bounds(row);
        let first = columns.start;
        let mut costs: Vec<u32> = Vec::with_capacity(columns.len());
        let mut taken = Vec::with_capacity(columns.len());
        for column in columns {
            let over = |column: usize| column.checked_sub(above.0).and_then(|place| above.1.get(place)).copied();
            let delete = over(column).filter(|_| row > 0).map_or(FAR, |before| before.saturating_add(GAP));
            let insert = costs.last().map_or(FAR, |before| before.saturating_add(GAP));
            let pair = match (row.checked_sub(1), column.checked_sub(1)) {
                (Some(x), Some(y)) => {
                    over(y).map_or(FAR, |before| before.saturating_add(cost(a.start + x, b.start + y)))
                }
                (None, None) => 0,
                _ => FAR,
            };
            let (best, way) = if pair <= delete && pair <= insert {
                (pair, Way::Pair)
            } else if delete <= insert {
                (delete, Way::Delete)
            } else {
                (insert, Way::Insert)
            };
            costs.push(best);
            taken.push(way);
        }
        ways.push((first, taken));
        above = (first, costs);
    }
    back(a, b, &ways, script);
}

fn back(a: Range<usize>, b: Range<usize>, ways: &[(usize, Vec<Way>)], script: &mut Script) {
    let (mut row, mut column) = (a.len(), b.len());
    let begin = script.ops.len();
    while row > 0 || column > 0 {
        let way = ways.get(row).and_then(|(first, ways)| ways.get(column.checked_sub(*first)?)).copied();
        match (way, row.checked_sub(1), column.checked_sub(1)) {
            (Some(Way::Pair), Some(x), Some(y)) => {
                script.ops.push(Op::Pair(a.start + x, b.start + y));
                (row, column) = (x, y);
            }
            (Some(Way::Delete), Some(x), _) | (_, Some(x), None) => {
                script.ops.push(Op::Delete(a.start + x));
                row = x;
            }
            (_, _, Some(y)) => {
                script.ops.push(Op::Insert(b.start + y));
                column = y;
            }
            (_, None, None) => break,
        }
    }
    if let Some(hunk) = script.ops.get_mut(begin..) {
        hunk.reverse();
    }
}
