"""Amazon's own client stores objects with moto, which plays S3.

The client waits for 100 (Continue) before it sends, and signs content in chunks of its own making.
"""

import io
import os

import pytest
import requests

from tests.judges.conftest import DEADLINE, require

require("boto3", "flask_cors", "moto")

import boto3  # noqa: E402
from boto3.s3.transfer import TransferConfig  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

SIZE = 6_000_007

#: Nobody's; with them the client looks for no others.
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def url(serve):
    # One worker, since moto remembers in memory.
    return serve("moto.server:create_backend_app('s3')", workers=1, env={"MOTO_DOCKER_NETWORK_MODE": "none"}).url


@pytest.fixture
def s3(url):
    config = Config(connect_timeout=DEADLINE, read_timeout=DEADLINE, retries={"total_max_attempts": 1}, proxies={})
    client = boto3.client("s3", endpoint_url=url, config=config, **KEYS)
    client.create_bucket(Bucket="bucket")
    yield client
    client.close()


@pytest.fixture(scope="module")
def content():
    return os.urandom(SIZE)


def fetch(s3, key, **options):
    with s3.get_object(Bucket="bucket", Key=key, **options)["Body"] as body:
        return body.read()


def test_object_comes_back_to_the_byte(s3, content):
    s3.put_object(Bucket="bucket", Key="object", Body=content)

    assert content == fetch(s3, "object")


def test_stream_comes_back_to_the_byte(s3, content):
    s3.upload_fileobj(io.BytesIO(content), "bucket", "stream")

    assert content == fetch(s3, "stream")


def test_parts_sent_at_the_same_time_become_one_object(s3, content):
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)

    s3.upload_fileobj(io.BytesIO(content * 2), "bucket", "parts", Config=parts)

    assert content * 2 == fetch(s3, "parts")


def test_checksum_comes_behind_the_content(s3, content):
    s3.put_object(Bucket="bucket", Key="checked", Body=io.BytesIO(content), ChecksumAlgorithm="SHA256")

    assert content == fetch(s3, "checked", ChecksumMode="ENABLED")


def test_part_of_an_object_is_read(s3, content):
    s3.put_object(Bucket="bucket", Key="object", Body=content)

    assert content[1000:2000] == fetch(s3, "object", Range="bytes=1000-1999")


def test_head_says_how_long_an_object_is(s3, content):
    s3.put_object(Bucket="bucket", Key="object", Body=content)

    assert SIZE == s3.head_object(Bucket="bucket", Key="object")["ContentLength"]


def test_object_that_has_not_changed_is_not_sent(s3):
    tag = s3.put_object(Bucket="bucket", Key="small", Body=b"small")["ETag"]

    with pytest.raises(ClientError, match="304"):
        fetch(s3, "small", IfNoneMatch=tag)


def test_key_with_any_letters_is_listed_and_deleted(s3):
    s3.put_object(Bucket="bucket", Key="ä/b c+%2F?", Body=b"")

    listed = [found["Key"] for found in s3.list_objects_v2(Bucket="bucket", Prefix="ä/")["Contents"]]
    s3.delete_object(Bucket="bucket", Key="ä/b c+%2F?")

    assert ["ä/b c+%2F?"] == listed
    assert 0 == s3.list_objects_v2(Bucket="bucket", Prefix="ä/")["KeyCount"]


def test_signed_url_can_be_read_without_keys(s3):
    s3.put_object(Bucket="bucket", Key="shared", Body=b"shared")
    signed = s3.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "shared"})

    assert b"shared" == requests.get(signed, timeout=DEADLINE).content
