//! Maps with a hash that is fast and seeded at random: keys are what strangers chose.

/// A map.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, ahash::RandomState>;
/// A set.
pub(crate) type HashSet<K> = std::collections::HashSet<K, ahash::RandomState>;
