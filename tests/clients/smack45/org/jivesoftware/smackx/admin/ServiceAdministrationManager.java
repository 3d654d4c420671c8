package org.jivesoftware.smackx.admin;

import java.util.Scanner;
import org.jivesoftware.smack.XMPPConnection;
import org.jxmpp.jid.EntityBareJid;

/**
 * Stands in front of Smack's class of the same name on the class path. Where that one makes accounts with ad-hoc
 * commands (XEP-0133), this one asks the test that started it, whose realm it is: `ACCOUNT name password` on standard
 * output, a line on standard input when it is done.
 */
public final class ServiceAdministrationManager {
    private static final ServiceAdministrationManager INSTANCE = new ServiceAdministrationManager();
    private static final Scanner ANSWERS = new Scanner(System.in);

    public static ServiceAdministrationManager getInstanceFor(XMPPConnection connection) {
        return INSTANCE;
    }

    public synchronized void addUser(EntityBareJid user, String password) {
        System.out.println("ACCOUNT " + user.getLocalpart() + " " + password);
        ANSWERS.nextLine();
    }

    public void deleteUser(EntityBareJid user) {
        // The server ends with the test.
    }
}
