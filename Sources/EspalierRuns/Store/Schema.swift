import GRDB

/// The store's tables. A change is a new migration below the others, never an edit of one that was released.
enum Schema {
    /// Marks SQLite files as ours: "ESPL".
    static let applicationID = 0x4553_504C

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { try $0.execute(sql: version1) }
        return migrator
    }

    /// Times are ISO 8601 in UTC. Seeds are decimal text, since SQLite's integers have no unsigned 64 bits. Files are
    /// named relative to the store's folder of files, so that both can be moved together. Row numbers are never given
    /// again (AUTOINCREMENT): folders and locks are named by them.
    private static let version1 = """
        CREATE TABLE experiment (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            hash TEXT NOT NULL UNIQUE,
            command TEXT NOT NULL,
            configuration TEXT NOT NULL,
            codeVersion TEXT NOT NULL,
            dataFingerprint TEXT NOT NULL,
            created TEXT NOT NULL
        );
        CREATE TABLE trial (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            experimentID INTEGER NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            configuration TEXT NOT NULL,
            seed TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'running', 'finished', 'failed')),
            attempts INTEGER NOT NULL DEFAULT 0,
            started TEXT,
            finished TEXT,
            error TEXT,
            folder TEXT,
            modelPath TEXT,
            modelSHA256 TEXT,
            checkpointPath TEXT,
            UNIQUE (experimentID, key)
        );
        CREATE TABLE requirement (
            trialID INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            key TEXT NOT NULL,
            PRIMARY KEY (trialID, position)
        ) WITHOUT ROWID;
        CREATE TABLE epoch (
            trialID INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,
            epoch INTEGER NOT NULL,
            trainingLoss REAL,
            trainingAccuracy REAL,
            validationLoss REAL,
            validationAccuracy REAL,
            learningRate REAL,
            sparsity REAL,
            seconds REAL,
            PRIMARY KEY (trialID, epoch)
        ) WITHOUT ROWID;
        CREATE TABLE record (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            trialID INTEGER UNIQUE REFERENCES trial(id) ON DELETE CASCADE,
            contentHash TEXT NOT NULL,
            command TEXT NOT NULL,
            date TEXT NOT NULL,
            model TEXT,
            data TEXT,
            dataFingerprint TEXT,
            seed TEXT,
            accuracy REAL,
            loss REAL,
            sparsity REAL,
            parameters INTEGER,
            nonzero INTEGER,
            macs INTEGER,
            effectiveMacs INTEGER,
            elapsedSeconds REAL,
            document TEXT NOT NULL,
            added TEXT NOT NULL
        );
        CREATE UNIQUE INDEX recordOfItsOwn ON record(contentHash) WHERE trialID IS NULL;
        CREATE INDEX recordContent ON record(contentHash);
        """
}
