# A Cloud Run Job that runs `govbr-assets mend`, and a Cloud Scheduler job that starts it every day. The image is that
# of deploy/Dockerfile, built with EXTRAS=gcs; docs/deploying.md has the commands. Where Composer starts the job, leave
# the scheduler job out.

terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}

variable "project" {
  type        = string
  description = "ID of the Google Cloud project."
}

variable "region" {
  type    = string
  default = "southamerica-east1"
}

variable "image" {
  type        = string
  description = "URL of the image in Artifact Registry."
}

variable "repo_id" {
  type        = string
  description = "The dataset repo on the Hub, namespace/name."
}

variable "reduced_repo_id" {
  type        = string
  default     = ""
  description = "The repo of the reduced dataset; empty for none."
}

variable "allow_removals" {
  type        = string
  default     = ""
  description = "How many rows may leave the dataset although the guard would keep them, of all time; empty for none."
}

variable "sql_instance" {
  type        = string
  description = "Connection name of the Cloud SQL instance, project:region:instance."
}

variable "subnetwork" {
  type        = string
  description = "Through which a private address of the Cloud SQL instance is reached."
}

variable "memory" {
  type        = string
  default     = "2Gi"
  description = "The file system is memory: the first compaction of a large dataset needs more, six times its files."
}

locals {
  settings = {
    GOVBR_REPO_ID         = var.repo_id
    GOVBR_STORAGE_URL     = "gs://${google_storage_bucket.tables.name}/tables"
    GOVBR_REDUCED_REPO_ID = var.reduced_repo_id
    GOVBR_ALLOW_REMOVALS  = var.allow_removals
  }
  # Their values are set in Secret Manager, and never in a file: a URL such as
  # postgresql://user:password@/govbr?host=/cloudsql/project:region:instance, and a token of the Hub.
  secrets = { GOVBR_POSTGRES_URL = "govbr-postgres-url", HF_TOKEN = "govbr-hf-token" }
}

provider "google" {
  project = var.project
  region  = var.region
}

resource "google_service_account" "mend" {
  account_id   = "govbr-mend"
  display_name = "Publishes the news dataset"
}

resource "google_storage_bucket" "tables" {
  name                        = "${var.project}-govbr-tables"
  location                    = var.region
  uniform_bucket_level_access = true
}

resource "google_storage_bucket_iam_member" "tables" {
  bucket = google_storage_bucket.tables.name
  role   = "roles/storage.objectUser"
  member = google_service_account.mend.member
}

resource "google_project_iam_member" "sql" {
  project = var.project
  role    = "roles/cloudsql.client"
  member  = google_service_account.mend.member
}

resource "google_secret_manager_secret" "mend" {
  for_each  = local.secrets
  secret_id = each.value
  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_iam_member" "mend" {
  for_each  = local.secrets
  secret_id = google_secret_manager_secret.mend[each.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.mend.member
}

resource "google_cloud_run_v2_job" "mend" {
  name     = "govbr-mend"
  location = var.region

  template {
    template {
      service_account = google_service_account.mend.email
      timeout         = "21600s"
      max_retries     = 1 # a run that is started again continues from what is published

      containers {
        image = var.image
        args  = ["mend"]

        resources {
          limits = { cpu = "1", memory = var.memory }
        }

        dynamic "env" {
          for_each = local.settings
          content {
            name  = env.key
            value = env.value # an empty one counts as not set
          }
        }
        dynamic "env" {
          for_each = local.secrets
          content {
            name = env.key
            value_source {
              secret_key_ref {
                secret  = google_secret_manager_secret.mend[env.key].secret_id
                version = "latest"
              }
            }
          }
        }

        volume_mounts {
          name       = "cloudsql"
          mount_path = "/cloudsql"
        }
      }

      volumes {
        name = "cloudsql"
        cloud_sql_instance {
          instances = [var.sql_instance]
        }
      }

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"
        network_interfaces {
          subnetwork = var.subnetwork
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.mend]
}

resource "google_cloud_run_v2_job_iam_member" "start" {
  name     = google_cloud_run_v2_job.mend.name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.mend.member
}

resource "google_cloud_scheduler_job" "mend" {
  name      = "govbr-mend"
  region    = var.region
  schedule  = "15 3 * * *"
  time_zone = "America/Sao_Paulo"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.mend.id}:run"
    oauth_token {
      service_account_email = google_service_account.mend.email
    }
  }
}
