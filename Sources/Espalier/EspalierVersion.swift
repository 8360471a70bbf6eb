/// The version of this software, by Semantic Versioning.
public enum EspalierVersion {
    public static let current = "0.1.0"
}
