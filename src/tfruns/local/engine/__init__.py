"""The engine: phases carried to workers, executed with Terraform, and taken up again after a crash."""
