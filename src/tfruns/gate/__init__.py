"""The path of every call: validate, scope, mode, consent, audit, the call itself, and the filter on its answer."""
