"""Calls an operation of AWS with the JSON on stdin; botocore checks it against AWS's own description of its API."""

import json
import sys

import boto3

endpoint, service, operation = sys.argv[1:]
client = boto3.client(
    service,
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="lab",
    aws_secret_access_key="lab",
)
answer = getattr(client, operation)(**json.load(sys.stdin))
answer.pop("ResponseMetadata", None)
print(json.dumps(answer, default=str))
