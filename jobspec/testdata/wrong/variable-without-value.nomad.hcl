variable "image" {
  type = string
}

variable "count" {
  type    = number
  default = "many"
}

job "web" {
  group "web" {
    count = var.count
    task "nginx" {
      driver = "docker"
      config {
        image = var.image
      }
    }
  }
}
