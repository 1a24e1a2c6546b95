//! A body, read into one piece of memory under the bounds.

use std::pin::Pin;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;

use super::charge::Charge;
use super::gate::Gate;
use super::not_read::NotRead;

/// Room for what is claimed is made at once up to here, and beyond it as it comes.
const AT_ONCE: usize = 64 << 10;

/// Reads a body of at most `most` bytes. `claim` is asked once, with the first bytes of which there are `head`: how long
/// the whole will be.
pub(super) async fn read<B: Body>(
    body: B,
    gate: &Arc<Gate>,
    most: usize,
    head: usize,
    claim: impl Fn(&[u8]) -> Result<usize, NotRead>,
) -> Result<(Bytes, Charge), NotRead> {
    let mut charge = Charge::new(Arc::clone(gate));
    if says_more_than(most, &body) {
        return Err(NotRead::TooLarge);
    }
    let said = length_said(&body);
    let unfinished = Unfinished(gate);
    let reading = whole(body, gate, &mut charge, most, said, head, claim);
    let read = tokio::time::timeout(gate.read_time(), reading).await;
    std::mem::forget(unfinished);
    match read {
        Ok(bytes) => {
            let bytes = bytes?;
            // Only now, so that whoever is slow takes no place from others.
            charge.admit()?;
            charge.hold(bytes.clone());
            Ok((bytes, charge))
        }
        Err(_) => Err(NotRead::TooSlow),
    }
}

/// Whether a body says before it begins that it is longer than this. Then nothing of it is looked at.
pub(super) fn says_more_than<B: Body>(most: usize, body: &B) -> bool {
    length_said(body) > most
}

fn length_said<B: Body>(body: &B) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

/// Dropped with the call where the caller goes away: then nobody else is left to count it.
struct Unfinished<'a>(&'a Gate);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.count(NotRead::Broken);
    }
}

async fn whole<B: Body>(
    body: B,
    gate: &Gate,
    charge: &mut Charge,
    most: usize,
    mut said: usize,
    head: usize,
    claim: impl Fn(&[u8]) -> Result<usize, NotRead>,
) -> Result<Bytes, NotRead> {
    let mut body = std::pin::pin!(body);
    let mut bytes = BytesMut::new();
    settle(&mut bytes, charge, gate, said)?;
    let mut is_asked = head == 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::as_mut(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| NotRead::Broken)?;
        let Ok(mut data) = frame.into_data() else { continue };
        let length = data.remaining();
        if bytes.len().saturating_add(length) > most {
            return Err(NotRead::TooLarge);
        }
        // Many small frames are copied together: each by itself would hold on to the buffer it came in.
        grow(&mut bytes, charge, length, said.min(most))?;
        while data.has_remaining() {
            let chunk = data.chunk();
            bytes.extend_from_slice(chunk);
            let taken = chunk.len();
            data.advance(taken);
        }
        if !is_asked && let Some(beginning) = bytes.get(..head) {
            is_asked = true;
            said = claim(beginning)?;
            if said > most {
                return Err(NotRead::TooLarge);
            }
            settle(&mut bytes, charge, gate, said)?;
        }
    }
    if head > 0 && (!is_asked || said != bytes.len()) {
        return Err(NotRead::Garbled);
    }
    Ok(bytes.freeze())
}

/// Goes on in memory that is there already, if there is enough for all that is claimed.
fn settle(bytes: &mut BytesMut, charge: &mut Charge, gate: &Gate, said: usize) -> Result<(), NotRead> {
    if said > bytes.capacity()
        && let Some(mut spare) = gate.spares().take(said)
    {
        charge.take(spare.capacity().saturating_sub(bytes.capacity()))?;
        spare.extend_from_slice(bytes);
        *bytes = spare;
    }
    Ok(())
}

/// Makes room for `length` bytes more: a claim is believed as far as it has been kept, so that memory which nobody fills is
/// not taken, and what comes is copied a few times at the most.
fn grow(bytes: &mut BytesMut, charge: &mut Charge, length: usize, said: usize) -> Result<(), NotRead> {
    let needed = bytes.len() + length;
    if needed <= bytes.capacity() {
        return Ok(());
    }
    // Where nothing true is claimed it grows as a vector does.
    let whole = if said > needed { said } else { needed.saturating_mul(2) };
    let believed = needed.saturating_mul(4).max(AT_ONCE).min(whole);
    charge.take(believed.saturating_sub(bytes.capacity()))?;
    bytes.reserve(believed - bytes.len());
    Ok(())
}
