"""A DAG for Composer, which starts the Cloud Run Job of ../cloud-run/main.tf once a day and waits for it."""

import pendulum
from airflow import DAG
from airflow.providers.google.cloud.operators.cloud_run import CloudRunExecuteJobOperator

BEGIN = pendulum.datetime(2026, 1, 1, tz="America/Sao_Paulo")
with DAG("govbr_mend", schedule="15 3 * * *", start_date=BEGIN, catchup=False, max_active_runs=1):
    CloudRunExecuteJobOperator(
        task_id="mend",
        project_id="my-project",
        region="southamerica-east1",
        job_name="govbr-mend",
        deferrable=True,  # the worker of Composer is free while the job runs
    )
