# pyarrow ships no types and makes its functions when it is imported: to a type checker any name is there.
from typing import Any

def __getattr__(name: str) -> Any: ...
