resource "terraform_data" "sample" {}
