//! The tools of the agent.

use serde_json::{Value, json};

/// What the model is told of them.
pub(crate) fn definitions() -> Value {
    let function = |name: &str, description: &str, properties: Value, required: Value| {
        let parameters = json!({ "type": "object", "properties": properties, "required": required });
        json!({ "type": "function", "function": { "name": name, "description": description, "parameters": parameters } })
    };
    let number = json!({ "type": "number" });
    json!([
        function("add", "Adds two numbers.", json!({ "a": number, "b": number }), json!(["a", "b"])),
        function("multiply", "Multiplies two numbers.", json!({ "a": number, "b": number }), json!(["a", "b"])),
        function("temperature", "The temperature in a city.", json!({ "city": { "type": "string" } }), json!(["city"])),
    ])
}

/// Runs one.
pub(crate) fn run(name: &str, arguments: &str) -> Result<String, &'static str> {
    let arguments: Value = serde_json::from_str(arguments).map_err(|_| "the arguments are not JSON")?;
    let number = |name: &str| arguments[name].as_f64().ok_or("an argument is not a number");
    match name {
        "add" => Ok((number("a")? + number("b")?).to_string()),
        "multiply" => Ok((number("a")? * number("b")?).to_string()),
        "temperature" => {
            let city = arguments["city"].as_str().ok_or("the city is not a text")?;
            Ok(format!("{} degrees in {city}", degrees(city)))
        }
        _ => Err("no such tool"),
    }
}

/// What `AGENT_DEGREES` says, for a run that is to differ from another; else what is close enough for a city that nobody
/// will visit.
#[allow(clippy::disallowed_methods)]
fn degrees(city: &str) -> String {
    let said = std::env::var("AGENT_DEGREES").ok().filter(|degrees| !degrees.is_empty());
    said.unwrap_or_else(|| (city.bytes().map(u32::from).sum::<u32>() % 30).to_string())
}
