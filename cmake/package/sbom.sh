#!/bin/sh
# sbom.sh NAME VERSION VERSIONS-FILE EPOCH DEBIAN: prints the list of what is inside as CycloneDX JSON. VERSIONS-FILE is the one
# that cmake/libraries.sh writes; EPOCH the time of the source, in seconds; DEBIAN the release whose source packages these are.
# The same input gives the same bytes.
set -eu
LC_ALL=C
export LC_ALL

[ $# -eq 5 ] || {
    echo 'usage: sh cmake/package/sbom.sh NAME VERSION VERSIONS-FILE EPOCH DEBIAN' >&2
    exit 2
}
name=$1
version=$2
file=$3
time=$(date -u -d "@$4" +%Y-%m-%dT%H:%M:%SZ)
debian=$5
serial=$(printf '%s %s ' "$name" "$version" | cat - "$file" | sha256sum |
    sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\).*/\1-\2-5\3-a\4-\5/')

# component NAME SUPPLIER LICENCE: in a package URL a plus is %2B, so that all who compare texts find the same.
component() {
    found=$(sed -n "s/^$1 //p" "$file")
    [ -n "$found" ] || {
        echo "sbom.sh: $file has no $1" >&2
        exit 1
    }
    purl="pkg:deb/debian/$1@$(printf %s "$found" | sed 's/+/%2B/g; s/:/%3A/g')?arch=source&distro=debian-$debian"
    upstream=${found%-*}
    cat <<COMPONENT
    {
      "type": "library",
      "bom-ref": "$purl",
      "supplier": { "name": "$2" },
      "name": "$1",
      "version": "$found",
      "licenses": [ { "license": { "id": "$3" } } ],
      "purl": "$purl",
      "cpe": "cpe:2.3:a:$4:$upstream:*:*:*:*:*:*:*"
    }$5
COMPONENT
}

cat <<HEAD
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "serialNumber": "urn:uuid:$serial",
  "version": 1,
  "metadata": {
    "timestamp": "$time",
    "component": {
      "type": "library",
      "bom-ref": "$name@$version",
      "name": "$name",
      "version": "$version",
      "licenses": [ { "license": { "id": "MIT" } } ]
    }
  },
  "components": [
HEAD
component openssl Debian Apache-2.0 openssl:openssl ,
component curl Debian curl haxx:libcurl ,
component cjson Debian MIT cjson_project:cjson ''
cat <<TAIL
  ],
  "dependencies": [
    { "ref": "$name@$version", "dependsOn": [
$(sed -n 's/^\(openssl\|curl\|cjson\) \(.*\)/\1@\2/p' "$file" | sed 's/+/%2B/g; s/:/%3A/g' |
    sed "s|.*|      \"pkg:deb/debian/&?arch=source\&distro=debian-$debian\"|; \$!s|\$|,|")
    ] }
  ]
}
TAIL
