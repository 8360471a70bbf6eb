import Foundation

/// What lies in a trial's folder besides its model.
enum TrialFolder {
    static let checkpoint = "checkpoint"
    static let lock = "lock"
    /// Begins the names of files that are not complete.
    static let draft = "partial-"

    /// Removes from a finished trial's folder what only an unfinished one needs, and the folder if it is empty then.
    ///
    /// What cannot be removed does no harm, and goes when the trial is deleted.
    static func tidy(_ folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        // The lock too: whoever makes a new one finds that the trial is finished.
        for name in names where name.hasPrefix(checkpoint) || name.hasPrefix(draft) || name == lock {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        rmdir(folder)
    }
}
