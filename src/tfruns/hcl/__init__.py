"""HCL: one lexer, and what is read with it: literals, the blocks of a configuration, the Terraform CLI's settings."""
