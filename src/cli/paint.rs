//! Colours for a tree on a terminal. The text itself stays as it is.

use anstream::{AutoStream, ColorChoice};

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

/// Whether what goes to stdout is to be coloured: on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`; elsewhere
/// only with `CLICOLOR_FORCE`.
pub(super) fn is_wanted() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// The tree with colours: what draws it is dim, names of turns are bold, ends and findings have the colour of what they
/// mean. Parts of a line are two spaces apart.
pub(super) fn tree(text: &str) -> String {
    let mut painted = String::with_capacity(text.len() * 2);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let content = line.trim_start_matches(['│', '├', '└', '─', ' ']);
        let margin = line.strip_suffix(content).unwrap_or_default();
        if !margin.is_empty() {
            put(&mut painted, DIM, margin);
        }
        for (place, part) in content.split("  ").enumerate() {
            if place > 0 {
                painted.push_str("  ");
            }
            match colour(part, place) {
                Some(colour) => put(&mut painted, colour, part),
                None => painted.push_str(part),
            }
        }
        painted.push_str(end);
    }
    painted
}

fn put(painted: &mut String, colour: &str, text: &str) {
    painted.push_str(colour);
    painted.push_str(text);
    painted.push_str(PLAIN);
}

fn colour(part: &str, place: usize) -> Option<&'static str> {
    if place == 0 {
        return match part.split(' ').next() {
            Some("rollout" | "turn") => Some(BOLD),
            Some("finding" | "set") => Some(YELLOW),
            _ => None,
        };
    }
    Some(match part {
        "completed" | "approved" => GREEN,
        "failed" | "timeout" | "disconnected" => RED,
        "cancelled" | "denied" | "abandoned" | "late" | "gap" | "not reported" | "end inferred" => YELLOW,
        "open" | "waiting" | "ends in a wait" | "yielded" => CYAN,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_its_colours_a_painted_tree_is_the_tree() {
        let text =
            "rollout r  failed  1 turn\n├─ turn planner  completed  12 ms\n│  └─ chat gpt-x  failed\n└─ finding gap\n";
        let painted = tree(text);
        assert!(painted.contains("\x1b[32mcompleted\x1b[0m") && painted.contains("\x1b[31mfailed\x1b[0m"));
        assert!(painted.contains("\x1b[2m│  └─ \x1b[0mchat gpt-x"));
        let mut plain = painted;
        for colour in [DIM, BOLD, RED, GREEN, YELLOW, CYAN, PLAIN] {
            plain = plain.replace(colour, "");
        }
        assert_eq!(plain, text);
    }
}
