import ArgumentParser

/// What a command says, and where: options of every command.
struct ConsoleOptions: ParsableArguments {
    @Flag(help: "Print one JSON document on standard output and nothing else.")
    var json = false

    @Flag(name: [.short, .long], help: "Say nothing but results and errors.")
    var quiet = false

    var console: Console { Console(json: json, quiet: quiet) }
}

/// How a command computes: options of every command that runs a network.
struct ThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads to compute on.", valueName: "n"))
    var threads: Int = 1

    func validate() throws {
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads must be between 1 and 256, not \(threads)")
        }
    }
}
