import Espalier
import EspalierArchives
import EspalierLottery
import EspalierRuns
import EspalierTensors
import EspalierTraining

/// What `theory ticket --fit --json` prints.
struct TicketFitDocument: Encodable {
    let schemaVersion = 1
    let file: String
    let seed: UInt64
    let ticketFrequencies: RunRecord.TicketFrequencies

    /// Tables drawn to judge the fit.
    static let usualSamples = 999

    /// - Throws: `ArchiveError`, `DataError`, `TicketError`.
    init(file: String, samples: Int, seed: UInt64) throws {
        self.file = file
        self.seed = seed
        ticketFrequencies = try .fitted(to: TicketFile.read(file), samples: samples, seed: seed)
    }
}

extension RunRecord.TicketFrequencies {
    /// - Throws: `TicketError`.
    static func fitted(
        to observations: TicketObservations, samples: Int, seed: UInt64
    ) throws -> RunRecord.TicketFrequencies {
        var random = RandomSource(seed: seed).split("tables of the fitted model")
        return try .init(TicketFit(observations), samples: samples, random: &random)
    }
}

/// Observed successes as comma-separated values.
enum TicketFile {
    private static let columns = ["s", "successes", "trials"]

    /// Reads a table with a line of names; other columns than those that are needed are passed over.
    ///
    /// - Throws: `ArchiveError` if it cannot be read, `DataError` if it is no such table, `TicketError` if its numbers cannot be.
    static func read(_ path: String) throws -> TicketObservations {
        var records = CSVRecords(try FileBytes.read(path), place: path)
        guard try records.advance() else { throw records.error("the file is empty") }
        let names = records.fields.map { records.text($0).filter { !$0.isWhitespace } }
        let places = try columns.map { column in
            guard let place = names.firstIndex(of: column) else {
                throw records.error(
                    "there is no column '\(column)': the first line must name the columns "
                        + columns.joined(separator: ", "))
            }
            return place
        }
        var points: [TicketObservations.Point] = []
        while try records.advance() {
            guard records.fields.count == names.count else {
                throw records.error(
                    "\(records.fields.count) columns, where the first line has \(names.count)")
            }
            let numbers = places.map { records.number(records.fields[$0]) }
            guard let share = numbers[0], let successes = numbers[1].flatMap(Int.init(exactly:)),
                let trials = numbers[2].flatMap(Int.init(exactly:))
            else {
                throw records.error("s must be a number, and successes and trials whole numbers")
            }
            points.append(.init(share: share, successes: successes, trials: trials))
        }
        return try TicketObservations(points)
    }

    /// What ``read(_:)`` reads, with the fit beside it.
    static func text(_ tickets: RunRecord.TicketFrequencies) -> String {
        let lines = tickets.points.map { point in
            "\(point.share),\(point.successes),\(point.trials),\(point.lower),\(point.upper),"
                + "\(point.fitted),\(point.residual)"
        }
        return (["s,successes,trials,lower,upper,fitted,residual"] + lines).joined(separator: "\n") + "\n"
    }
}
