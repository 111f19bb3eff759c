"""An index in a Milvus: for what one machine cannot hold, and for many processes that write at a time."""

from lookalike.index.milvus.index import MilvusIndex, delete, migrate, take_place
from lookalike.index.milvus.link import parse_address

__all__ = ["MilvusIndex", "delete", "migrate", "parse_address", "take_place"]
