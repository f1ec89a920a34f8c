"""A profile of a receiver that passes whole adverts on, in lines of text."""

RECEIVER = """
profile: receiver
about: a receiver that passes adverts on
source: made up for the tests
pattern: 'ADV (?P<tag>[0-9A-F]{12}) (?P<rssi>-?[0-9]+) (?P<advert>[0-9A-Fa-f]*)'
fields:
  tag: {group: tag}
  rssi: {group: rssi, type: decimal}
  advert: {group: advert}
serial:
  framing: {line: {end: "0a", longest: 200}}
  address: {field: tag}
  rssi: {field: rssi}
  relays: {field: advert}
golden: [{name: empty, line: "ADV C09800010203 -61 ", address: "c09800010203", rssi: -61}]
"""
