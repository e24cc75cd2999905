//! Roles: what a piece of text is for, seen by who reads it. A Signature names the roles it looks at.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    ToolName,
    ToolDescription,
    /// Everything inside an input or output schema, keys included.
    ToolSchema,
    /// `instructions` and the rest of what a server says about itself.
    Instructions,
    /// Names and descriptions of listed prompts and resources.
    ListingText,
    ArgumentPath,
    ArgumentUrl,
    ArgumentHost,
    ArgumentCommand,
    ArgumentSql,
    ArgumentCode,
    ArgumentText,
    /// Short names that are looked up or interpolated: ids, users, branches, labels.
    ArgumentName,
    ResultText,
    ResourceText,
    PromptText,
    SamplingText,
    ElicitationText,
    ErrorText,
    NotificationText,
    /// What the ClientApp answers to a server's own request (sampling, elicitation, roots).
    AnswerText,
    /// Envelope parts and client information.
    Other,
    /// Group: every `argument_*`.
    ArgumentAny,
    /// Group: tool name, description, schema, instructions, listings.
    DefinitionAny,
    /// Group: everything a server can put before the model except definitions.
    ContentAny,
    /// Group: all of them.
    Any,
}

impl Role {
    /// The roles a name stands for, as a bit set.
    pub(crate) fn bits(self) -> u32 {
        use Role::*;
        let of = |roles: &[Role]| roles.iter().fold(0, |bits, role| bits | 1 << (*role as u32));
        match self {
            ArgumentAny => of(&[
                ArgumentPath,
                ArgumentUrl,
                ArgumentHost,
                ArgumentCommand,
                ArgumentSql,
                ArgumentCode,
                ArgumentText,
                ArgumentName,
            ]),
            DefinitionAny => of(&[ToolName, ToolDescription, ToolSchema, Instructions, ListingText]),
            ContentAny => {
                of(&[ResultText, ResourceText, PromptText, SamplingText, ElicitationText, ErrorText, NotificationText])
            }
            Any => u32::MAX,
            role => 1 << (role as u32),
        }
    }
}
