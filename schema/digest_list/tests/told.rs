//! A digest in a list is looked for, or it is told that it is not.

use super::*;

/// Lists with digests where nobody would look for one; `<1>` and `<2>` stand for them.
const LISTS: [&str; 34] = [
    "<1> (sha256 <2>)\n",
    "<1> https://example.org/file/<2>\n",
    "<1>\n<2>.\n",
    "<1>,<2>.\n",
    "SHA256 (a) = <1> SHA256 (b) = <2>\n",
    "sha256:0x<1>\n<2>\n",
    "# a comment\r<1>\r<2>\n",
    "# name, hash\n<1>,<2>\n",
    "sha256,process.hash.sha256\n<1>,<2>\n",
    "file.hash.sha256,process.hash.sha256\n<1>,<2>\n",
    "name,sha256,payload_sha256\nx,<1>,<2>\n",
    "sha256,SHA256 Hash (hex)\n<1>,<2>\n",
    "sha256,name\r<1>,x\r<2>,y\n",
    "name,sha256\n\"x,<1>\n\"y\",<2>\n",
    "type,value,sha256\nsha256,<1>,<2>\n",
    "{\"sha256\": \"<1>\", \"parent_sha256\": \"<2>\"}\n",
    "{\"sha256\": \"<1>\", \"payload\": \"<2>\"}\n",
    "{\"sha256\": \"<1>\", \"sha256\": \"<2>\"}\n",
    "{\"<1>\": {\"name\": \"x\"}, \"<2>\": {}}\n",
    "[{\"<1>\": 1}, {\"<2>\": 2}]\n",
    "{\"type\": \"sha256\", \"value\": \"<1>\", \"sha256\": \"<2>\"}\n",
    "SHA2-256:<1>\nSHA2-256 (x) = <2>\n",
    "<1>  <2>\n",
    "<1>\tsome words (<2>)\n",
    "md5,sha256\n<1>,<2>\n",
    "<1>\nimphash:<2>\n",
    "sha256:<1> authentihash <2>\n",
    "AUTHENTIHASH (x) = <1>\nSHA256 (x) = <2>\n",
    "{\"name\": \"<1>\", \"sha256\": \"<2>\"}\n",
    "{\"name\": \"<1>\"}\n<2>\n",
    "{\"Tag\": \"<1>\", \"sha256\": \"<2>\"}\n",
    "{\"Tag\": [{\"sha256\": \"<1>\"}], \"sha256\": \"<2>\"}\n",
    "[file:hashes.'SHA-256' = '<1>' AND file:hashes.'SHA-256' = '<2>']\n",
    "[file:hashes.'SHA-256' = '<1>' OR file:hashes.'SHA-256' = '<2>']\n",
];

#[test]
fn no_digest_of_a_list_is_lost_in_silence() {
    let both = [hex("aa", 64), hex("bb", 64)];
    for list in LISTS {
        let text = list.replace("<1>", &both[0]).replace("<2>", &both[1]);
        let (wanted, problems) = read(&text);
        let found = digests(&wanted);
        let is_told = !problems.is_empty() || !wanted.left_out.is_empty();
        let lost = both.iter().filter(|digest| !found.contains(digest)).count();
        assert!(lost == 0 || is_told, "{lost} lost of {list}: {found:?}");
    }
}
