variable "image_tag" {
  type    = string
  default = "1.27"
}

locals {
  port = 80
}

job "web" {
  datacenters = var.datacenters
  group "web" {
    task "nginx" {
      driver = "docker"
      config {
        image = "nginx:${var.imagetag}"
        port  = local.prt
      }
      env {
        HOST = "${var.host}"
      }
    }
  }
}
