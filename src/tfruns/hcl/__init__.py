"""HCL: one lexer, and three parsers: literals, the blocks of a configuration, and the Terraform CLI's settings."""
