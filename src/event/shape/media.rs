//! Images, sounds and documents: bytes where they are given, references otherwise.

use super::blob::{decode, decode_url};
use super::node::{Look, Node};
use crate::event::{Part, RawBytes};

/// Where in a block its content stands, and how.
struct Place {
    /// The object in the block that holds it, if it is not the block itself.
    holder: Option<&'static str>,
    key: &'static str,
    form: Form,
}

#[derive(Clone)]
enum Form {
    Base64,
    /// A URL, which may hold the data itself.
    Url,
    Id,
    Text,
}

/// The part of a block of media. The block comes back, whole, if its content is not to be found in it.
pub(super) fn read<N: Node>(mut block: N) -> Result<Part, N> {
    let Some(place) = locate(block.look()) else { return Err(block) };
    let content = place.look(block.look()).unwrap_or_default();
    let bytes = match place.form {
        Form::Base64 if !content.starts_with("data:") => match decode(content) {
            Some(bytes) => Some(bytes),
            None => return Err(block),
        },
        Form::Base64 | Form::Url => decode_url(content),
        Form::Id | Form::Text => None,
    };
    let Some(content) = place.take(&mut block) else { return Err(block) };
    Ok(match (bytes, place.form) {
        (Some(bytes), _) => {
            content.discard();
            Part::Blob(RawBytes::from(bytes))
        }
        (None, Form::Text) => Part::Text(content.text()),
        (None, _) => Part::Reference(content.text()),
    })
}

impl Place {
    fn look<'v>(&self, block: impl Look<'v>) -> Option<&'v str> {
        let holder = self.holder.map_or(Some(block), |holder| block.get(holder))?;
        holder.get(self.key)?.as_str()
    }

    fn take<N: Node>(&self, block: &mut N) -> Option<N> {
        match self.holder {
            Some(holder) => block.member(holder)?.member(self.key),
            None => block.member(self.key),
        }
    }
}

/// Nothing for a block of another kind.
fn locate<'v>(block: impl Look<'v>) -> Option<Place> {
    use Form::{Base64, Id, Url};
    type Keys = &'static [(&'static str, Form)];
    let (holder, keys): (Option<&'static str>, Keys) = match block.kind()? {
        // OpenAI, chat completions.
        "image_url" if block.get("image_url")?.is_object() => (Some("image_url"), &[("url", Url)]),
        "video_url" if block.get("video_url")?.is_object() => (Some("video_url"), &[("url", Url)]),
        "audio_url" if block.get("audio_url")?.is_object() => (Some("audio_url"), &[("url", Url)]),
        "input_audio" => (Some("input_audio"), &[("data", Base64)]),
        "file" if block.get("file").is_some() => (Some("file"), &[("file_data", Base64), ("file_id", Id)]),
        // OpenAI, responses; and the above without their object.
        "image_url" | "input_image" | "computer_screenshot" => (None, &[("image_url", Url), ("file_id", Id)]),
        "input_file" => (None, &[("file_data", Base64), ("file_url", Url), ("file_id", Id)]),
        // Anthropic.
        "image" | "document" if block.get("source").is_some() => return locate_source(block.get("source")?),
        // The GenAI conventions.
        "blob" => (None, &[("content", Base64), ("data", Base64)]),
        "uri" => (None, &[("uri", Url)]),
        "file" => (None, &[("file_id", Id), ("file_data", Base64)]),
        // The Model Context Protocol.
        "image" | "audio" => (None, &[("data", Base64)]),
        "resource_link" => (None, &[("uri", Url)]),
        _ => return None,
    };
    keys.iter().map(|(key, form)| Place { holder, key, form: form.clone() }).find(|place| place.look(block).is_some())
}

fn locate_source<'v>(source: impl Look<'v>) -> Option<Place> {
    let (key, form) = match source.kind()? {
        "base64" => ("data", Form::Base64),
        "url" => ("url", Form::Url),
        "file" => ("file_id", Form::Id),
        "text" => ("data", Form::Text),
        _ => return None,
    };
    source.get(key)?.as_str()?;
    Some(Place { holder: Some("source"), key, form })
}
