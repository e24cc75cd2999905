//! (first cut)
use crate::role::Role;
pub(crate) fn is_destination(role: Role, text: &str) -> bool {
    role == Role::ArgumentUrl && text.contains("://")
}
