"""The stages of every call: arguments, scope, mode, consent, audit, the call itself, and the filter on its result."""
