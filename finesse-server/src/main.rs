//! The program; everything is in the library.

fn main() -> std::process::ExitCode {
    finesse_server::cli::main()
}
