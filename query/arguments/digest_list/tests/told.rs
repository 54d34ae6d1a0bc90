//! A digest in a list is looked for, or it is told that it is not.

use super::*;

/// Lists with digests where nobody would look for one; `A` and `B` stand for them.
const LISTS: [&str; 26] = [
    "A (sha256 B)\n",
    "A https://example.org/file/B\n",
    "A\nB.\n",
    "A,B.\n",
    "SHA256 (a) = A SHA256 (b) = B\n",
    "sha256:0xA\nB\n",
    "# a comment\rA\rB\n",
    "# name, hash\nA,B\n",
    "sha256,process.hash.sha256\nA,B\n",
    "file.hash.sha256,process.hash.sha256\nA,B\n",
    "name,sha256,payload_sha256\nx,A,B\n",
    "sha256,SHA256 Hash (hex)\nA,B\n",
    "sha256,name\rA,x\rB,y\n",
    "name,sha256\n\"x,A\n\"y\",B\n",
    "type,value,sha256\nsha256,A,B\n",
    "{\"sha256\": \"A\", \"parent_sha256\": \"B\"}\n",
    "{\"sha256\": \"A\", \"payload\": \"B\"}\n",
    "{\"sha256\": \"A\", \"sha256\": \"B\"}\n",
    "{\"A\": {\"name\": \"x\"}, \"B\": {}}\n",
    "[{\"A\": 1}, {\"B\": 2}]\n",
    "{\"type\": \"sha256\", \"value\": \"A\", \"sha256\": \"B\"}\n",
    "SHA2-256:A\nSHA2-256 (x) = B\n",
    "A  B\n",
    "A\tsome words (B)\n",
    "md5,sha256\nA,B\n",
    "[file:hashes.'SHA-256' = 'A' OR file:hashes.'SHA-256' = 'B']\n",
];

#[test]
fn no_digest_of_a_list_is_lost_in_silence() {
    let both = [hex("aa", 64), hex("bb", 64)];
    for list in LISTS {
        let letters: String = list
            .chars()
            .map(|letter| match letter {
                'A' => both[0].clone(),
                'B' => both[1].clone(),
                other => other.to_string(),
            })
            .collect();
        // Words of the lists that hold the letters themselves.
        let text = letters.replace(&format!("SH{}", both[0]), "SHA");
        let (wanted, problems) = read(&text);
        let found = digests(&wanted);
        let is_told = !problems.is_empty() || !wanted.left_out.is_empty();
        let lost = both.iter().filter(|digest| !found.contains(digest)).count();
        assert!(lost == 0 || is_told, "{lost} lost of {text}: {found:?}");
    }
}
