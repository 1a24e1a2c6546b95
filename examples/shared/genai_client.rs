//! genai's client, pointed at the model of the examples.

use genai::adapter::AdapterKind;
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};

/// A client that sends every request there, whichever model it is told to ask.
pub(crate) fn asking(base_url: String) -> Result<Client, genai::Error> {
    let resolver = ServiceTargetResolver::from_resolver_fn(move |target: ServiceTarget| {
        Ok(ServiceTarget {
            endpoint: Endpoint::from_owned(format!("{base_url}/")),
            auth: AuthData::from_single("no key"),
            model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
        })
    });
    Client::builder().with_service_target_resolver(resolver).build()
}
