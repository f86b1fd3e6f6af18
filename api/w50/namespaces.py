"""The namespaces of DataContract XML, as the vendor's serializer has them (contract w50.md 2.3, 7, 8)."""

from typing import Final

MODELS: Final = "http://schemas.datacontract.org/2004/07/W50API.Models.DTO"
COMMON: Final = "http://schemas.datacontract.org/2004/07/W50Common.Model.DTO"
CONTROLLERS: Final = "http://schemas.datacontract.org/2004/07/W50API.Controllers"
ARRAYS: Final = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMA: Final = "http://www.w3.org/2001/XMLSchema"

NIL: Final = f"{{{INSTANCE}}}nil"
TYPE: Final = f"{{{INSTANCE}}}type"
