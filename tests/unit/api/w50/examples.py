"""The examples of contract w50.md and of its seed, 004, as they stand there."""

#: The seed: a contact as JSON, as application/csp-report and as XML; its `{}` are placeholders for values.
SEED_JSON = """\
{
  "EncContactId": "sample string 2",
  "ListId": 3,
  "Values": {
    "sample string 1": {},
    "sample string 3": {}
  }
}
"""
SEED_REPORT = '{"EncContactId":"sample string 2","ListId":3,"Values":{"sample string 1":{},"sample string 3":{}}}'
SEED_XML = """\
<Contact xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/W50API.Models.DTO">
  <EncContactId xmlns="http://schemas.datacontract.org/2004/07/W50Common.Model.DTO">sample string 2</EncContactId>
  <Id xmlns="http://schemas.datacontract.org/2004/07/W50Common.Model.DTO">1</Id>
  <ListId xmlns="http://schemas.datacontract.org/2004/07/W50Common.Model.DTO">3</ListId>
  <Values xmlns:d2p1="http://schemas.microsoft.com/2003/10/Serialization/Arrays" xmlns="http://schemas.datacontract.org/2004/07/W50Common.Model.DTO">
    <d2p1:KeyValueOfstringanyType>
      <d2p1:Key>sample string 1</d2p1:Key>
      <d2p1:Value />
    </d2p1:KeyValueOfstringanyType>
    <d2p1:KeyValueOfstringanyType>
      <d2p1:Key>sample string 3</d2p1:Key>
      <d2p1:Value />
    </d2p1:KeyValueOfstringanyType>
  </Values>
</Contact>
"""
#: The seed's body of a PUT, which is no JSON (tests/seed_repairs.py).
SEED_PUT = """\
{
  values: {
    "ReferanceAccountId":123456,
    "Email": "pgannon@customerminds.com"
    "Mobile": "353871234567" // Value to be updated
  }
}
"""

#: Contract 2.3.
CONTRACT_XML = """\
<Contact xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/W50API.Models.DTO">
  <EncContactId xmlns="http://schemas.datacontract.org/2004/07/W50Common.Model.DTO">9f0c2ab47d1e4c55a3b8e6d2f1704c3e</EncContactId>
  <Id xmlns="http://schemas.datacontract.org/2004/07/W50Common.Model.DTO">17</Id>
  <ListId xmlns="http://schemas.datacontract.org/2004/07/W50Common.Model.DTO">3</ListId>
  <Values xmlns:d2p1="http://schemas.microsoft.com/2003/10/Serialization/Arrays" xmlns="http://schemas.datacontract.org/2004/07/W50Common.Model.DTO">
    <d2p1:KeyValueOfstringanyType>
      <d2p1:Key>Email</d2p1:Key>
      <d2p1:Value xmlns:d4p1="http://www.w3.org/2001/XMLSchema" i:type="d4p1:string">ada@example.org</d2p1:Value>
    </d2p1:KeyValueOfstringanyType>
    <d2p1:KeyValueOfstringanyType>
      <d2p1:Key>Mobile</d2p1:Key>
      <d2p1:Value i:nil="true" />
    </d2p1:KeyValueOfstringanyType>
  </Values>
</Contact>
"""
ENC_ID = "9f0c2ab47d1e4c55a3b8e6d2f1704c3e"
#: Contract 4: what is sent, and what comes back.
INSERT = '{"Values":{"Email":"ada@example.org","FirstName":"Ada"}}'
INSERTED = (
    '{"EncContactId":"9f0c2ab47d1e4c55a3b8e6d2f1704c3e","ListId":3,'
    '"Values":{"Email":"ada@example.org","FirstName":"Ada"}}'
)
MATCH = '{"values":{"AccountRef":123456,"Email":"ada@example.org","Mobile":"353870000001"}}'
MATCHED = (
    '{"EncContactId":"9f0c2ab47d1e4c55a3b8e6d2f1704c3e","ListId":3,'
    '"Values":{"AccountRef":"123456","Email":"ada@example.org","Mobile":"353870000001"}}'
)
#: Contract 7.
LISTS = '[{"Id":3,"Name":"Customers","Count":120}]'
LISTS_XML = """\
<ArrayOfContactsList xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/W50API.Models.DTO">
  <ContactsList>
    <Count>120</Count>
    <Id>3</Id>
    <Name>Customers</Name>
  </ContactsList>
</ArrayOfContactsList>
"""
FIELDS = (
    '[{"Id":1,"Name":"Email","DefaultValue":null,"MapType":"Email","Position":1,"ContactSchemaFieldValues":[]},'
    '{"Id":2,"Name":"Diet","DefaultValue":"None","MapType":"List","Position":2,'
    '"ContactSchemaFieldValues":[{"Id":9,"Value":"None","Order":1,"InUse":true}]}]'
)
#: Contract 8.
JOB = (
    '{"Id":42,"ContactListId":3,"InvalidEmailCount":1,"InvalidSmsCount":0,"ProgressPercent":100,'
    '"CurrentStatus":"Complete","StartDate":"2026-01-15T10:00:00Z","FinishDate":"2026-01-15T10:00:04Z",'
    '"InsertedContacts":98,"UpdatedContacts":1,"DroppedContacts":0,"NotUpdatedContacts":1,"TotalContacts":99}'
)
#: Contract 9.
PROBLEM = '{"Message":"Field \'Foo\' does not exist in contact list 3."}'
PROBLEM_XML = "<Error><Message>Field 'Foo' does not exist in contact list 3.</Message></Error>"
